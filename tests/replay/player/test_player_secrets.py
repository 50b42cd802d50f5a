"""A live secret never comes back in a report, an error event, a close or an answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from replaying import OPENAI, Client, events
from tapes import Script as Takes
from tapes import session_object, tone
from vapi_replaying import ASKED, Parties, Tape
from vapi_replaying import player as vapi_player

from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.redact import Secrets, redact_text
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.script import read_script

SHAPED = "sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789"
NAMED = "hunter2-hunter2"  # told by the name of its field only
KNOWN = "correct-horse-battery"
SECRETS = Secrets(b"another key than that of the tape", (KNOWN,))
JSON = (("Content-Type", "application/json"),)
PATH = "/v1/realtime"


def hide(text: str) -> str:
    return redact_text(SECRETS, text)


def tape() -> list[Any]:
    takes = Takes().open().provider("session.created", session=session_object())
    takes.client("session.update", session={"type": "realtime", "instructions": "Hi"})
    return takes.client("response.create").close().takes


def client(takes: list[Any] | None = None) -> Client:
    book = Rulebook(OPENAI.RULES)
    script = read_script(events(takes or tape()), OPENAI, book)
    return Client(Player(script, OPENAI, book, speed=None, hide=hide))


def update(**session: Any) -> Callable[[], Client]:
    return lambda: client().open().send("session.update", session=session)


def raw(body: str) -> Callable[[], Client]:
    return lambda: client().open().give("ws.text", body.encode())


def call(body: Any = ASKED, path: str = "/call", query: str = "") -> Parties:
    parties = Parties(vapi_player(Tape().create(), hide=hide))
    head = RequestHead("POST", path, query, JSON)
    sent = Message(9, "http.request", head.encode(), json.dumps(body).encode())
    parties.machine.receive(sent, parties.now)
    return parties.run()


def hooked(answer: Any, reason: str = "") -> Parties:
    parties = Parties(vapi_player(Tape().create().wait(20).hook("tool-calls", {}), hide=hide))
    parties.ask("POST", "/call", ASKED)
    parties.run(100)
    if not reason:
        return parties.answer(body=answer)
    head = ResponseHead(0, reason).encode()
    return parties.give(parties.hooks[-1].channel, "webhook.response", head)


PLANTED: dict[str, Callable[[], Client | Parties]] = {
    "value": update(type="realtime", instructions=f"use {SHAPED}"),
    "known value": update(type="realtime", instructions=f"use {KNOWN}"),
    "named value": update(type="realtime", instructions="Hi", api_key=NAMED),
    "deep named value": update(type="realtime", headers={"x-auth": NAMED}),
    "name of a key": update(type="realtime", instructions="Hi", **{SHAPED: 1}),
    "type of a message": raw(json.dumps({"type": SHAPED})),
    "another message": raw(json.dumps({"type": "session.get", "session": {"token": NAMED}})),
    "no json": raw(f"key={SHAPED}"),
    "escaped": raw(json.dumps({"type": "session.update", "x": SHAPED}).replace("-", "\\u002d")),
    "path": lambda: client().open(path=f"/v1/{SHAPED}"),
    "query": lambda: client().open(query=f"model=gpt-realtime&api_key={KNOWN}"),
    "named query": lambda: client().open(query="model=gpt-realtime&token=hunter2-hunter2"),
    "body of a request": lambda: call({**ASKED, "name": SHAPED}),
    "named in a request": lambda: call({**ASKED, "server": {"secret": NAMED}}),
    "path of a request": lambda: call(path=f"/call/{SHAPED}"),
    "query of a request": lambda: call(query="token=hunter2-hunter2"),
    "answer to a webhook": lambda: hooked({"results": [{"result": SHAPED}]}),
    "named in an answer": lambda: hooked({"password": NAMED}),
    "reason of no answer": lambda: hooked({}, f"no route to {SHAPED}"),
}  # fmt: skip


@pytest.mark.parametrize("where", PLANTED)
def test_what_is_told_is_without_secrets(where: str) -> None:
    party = PLANTED[where]()
    machine = party.machine
    assert machine.failure
    told = [machine.report(), machine.failure.headline, *machine.failure.details]
    told += [f"{message.body!r} {message.payload!r}" for message in party.got]
    for secret in (SHAPED, KNOWN, NAMED):
        assert not any(secret in text for text in told), told


def test_a_secret_fits_the_marker_of_the_tape_whatever_its_key() -> None:
    takes = Takes().open()
    takes.client("session.update", session={"instructions": "use [redacted:0123456789ab] well"})
    one = client(takes.close().takes).open()
    one.send("session.update", session={"instructions": f"use {SHAPED} well"}).close()
    assert one.machine.failure is None


def test_what_is_equal_without_secrets_fits() -> None:
    """On the tape a part of the text was taken for a secret that has another form by now."""
    takes = Takes().open()
    said = redact_text(Secrets(b"tape", (KNOWN,)), f"first {SHAPED}, then {KNOWN}.")
    takes.client("session.update", session={"instructions": said})
    one = client(takes.close().takes).open()
    one.send("session.update", session={"instructions": f"first {KNOWN}, then {SHAPED}."}).close()
    assert one.machine.failure is None


def test_audio_is_not_told_but_measured() -> None:
    takes = Takes().open().append(tone(300)).close().takes
    one = client(takes).open()
    piece = base64.b64encode(SHAPED.encode() * 10).decode()
    one.send("input_audio_buffer.append", audio=piece)
    assert SHAPED not in one.machine.report()
    assert Close.decode(one.got[-1].body).code == 1008
