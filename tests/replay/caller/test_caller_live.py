"""The client of a GPT-Live tape talks to a simulated GPT-Live: speech, a function, the close, and
what else knows the session by its id."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from calling import KEY, MS, caller, hold

from recorder.audio import pcm
from recorder.events import Event, Message, Sender
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.trial.doubles import Doubles
from recorder.trial.sides.openai_live import LiveCall
from recorder.trial.steps import Cue
from replay.caller import read_plan
from replay.match.rulebook import Rulebook
from replay.simulators.common.voice import synthesise
from replay.simulators.openai_live import LiveSimulator, Options

LIVE = PROVIDERS["openai-live"]
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
SESSION = {
    "model": "gpt-live-1",
    "delegation": {"type": "responses", "responses": {"model": "gpt-4.1", "tools": [TOOL]}},
}
OPTIONS = Options(transcripts=("The weather, please.",), replies=("It is mild.",))


class Keyed(LiveCall):
    """With a key in its head."""

    def due(self, now: int) -> list[Message]:
        return [_keyed(message) for message in super().due(now)]


def _keyed(message: Message) -> Message:
    if message.kind != "ws.open":
        return message
    head = replace(RequestHead.decode(message.body), headers=KEY)
    return message._replace(body=head.encode())


class Followed(Keyed):
    """With a sideband, and a request about the session that is refused, once its id is known."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._asked: list[Message] = []

    def receive(self, message: Message, now: int) -> None:
        if message.channel != 1:
            return
        super().receive(message, now)
        if message.kind == "ws.text" and b'"session.started"' in message.body[:150]:
            path = f"/v1/live/sessions/{json.loads(message.body)['session']['id']}"
            attach = RequestHead("GET", f"{path}/attach", "graceful_close=true", KEY)
            json_type = (*KEY, ("Content-Type", "application/json"))
            refer = RequestHead("POST", f"{path}/refer", "", json_type)
            self._asked = [
                Message(2, "ws.open", attach.encode()),
                Message(3, "http.request", refer.encode(), b"{}"),
            ]

    def due(self, now: int) -> list[Message]:
        asked, self._asked = self._asked, []
        return super().due(now) + asked


def tape(made_by: type[Keyed] = Keyed) -> list[Event]:
    said = pcm.to_bytes(synthesise("The weather, please"))
    steps = [
        Cue("session_ready", 500, 5000, said, 24_000, number=1),
        Cue("agent_speech_end", 500, 20_000),
    ]
    client = made_by(SESSION, None, steps, Doubles(()))
    made = hold(client, LiveSimulator(7, 0, OPTIONS), named=LIVE)
    assert client.failed is None
    return made


def types(run: list[Event], sender: str) -> list[str]:
    streams = ("session.input_audio.append", "session.output_audio.delta")
    return [each.type for each in run if each.sender == sender and each.type not in streams]


def test_it_speaks_answers_the_function_and_then_asks_to_go_on() -> None:
    recorded = tape()
    asked = types(recorded, "client")
    assert asked[1:5] == [
        "session.start",
        "response.item.create",
        "response.create",
        "session.close",
    ]
    played = caller(recorded, LIVE)
    run = hold(played, LiveSimulator(7, 0, OPTIONS), named=LIVE)
    assert types(run, "client")[:5] == asked[:5]
    assert str(played.verdict).startswith("PASS steps=5/5")
    nested = [json.loads(each.body)["event"] for each in run if each.type == "response.event"]
    ends = [each["type"] for each in nested if each["type"] == "response.completed"]
    assert len(ends) == 2


def heads(run: list[Event]) -> list[RequestHead]:
    return [
        RequestHead.decode(each.body)
        for each in run
        if each.sender == "client" and each.kind in ("ws.open", "http.request")
    ]


def statuses(run: list[Event]) -> list[str]:
    kinds = ("ws.open", "http.response")
    return [each.type for each in run if each.sender == "provider" and each.kind in kinds]


@pytest.mark.parametrize("delay_ms", [0, 600])
def test_what_knows_the_session_by_its_id_uses_the_one_of_the_run(delay_ms: int) -> None:
    """Also if the id comes later than on the tape."""
    recorded = tape(Followed)
    assert statuses(recorded)[0:2] == ["101", "101"]
    played = caller(recorded, LIVE)
    run = hold(played, LiveSimulator(8, 0, OPTIONS), delay_ms * MS, named=LIVE)
    assert str(played.verdict).startswith("PASS")
    assert statuses(run) == statuses(recorded)
    started = next(each for each in run if each.type == "session.started")
    new = json.loads(started.body)["session"]["id"]
    assert new not in heads(recorded)[1].path
    assert [head.path for head in heads(run)][1:] == [
        f"/v1/live/sessions/{new}/attach",
        f"/v1/live/sessions/{new}/refer",
    ]


def test_it_does_not_matter_which_connection_hears_of_a_call_first() -> None:
    recorded = tape(Followed)
    swapped = recorded.copy()
    for at, (one, other) in enumerate(pairwise(recorded)):
        if one.body == other.body and one.sender == other.sender == "provider":
            swapped[at] = one._replace(channel=other.channel)
            swapped[at + 1] = other._replace(channel=one.channel)
    assert swapped != recorded
    played = caller(swapped, LIVE)
    run = hold(played, LiveSimulator(8, 0, OPTIONS), named=LIVE)
    assert str(played.verdict).startswith("PASS steps=6/6"), played.verdict
    assert types(run, "client")[:4] == types(recorded, "client")[:4]
    assert types(run, "client").count("response.item.create") == 1


def test_what_followed_an_acknowledgement_waits_for_it() -> None:
    """The client appended something and closed when that was acknowledged; here it takes longer."""
    events = tape()
    at = next(n for n, each in enumerate(events) if each.type == "session.close")
    close = events[at]
    append = b'{"type":"session.thinking.append","content":"Ok.","delegation_id":null}'
    ack = b'{"type":"session.thinking.appended","event_id":"event_a","start_ms":0,"end_ms":200}'
    new = [
        close._replace(type="session.thinking.append", body=append),
        close._replace(type="session.thinking.appended", body=ack, sender="provider"),
    ]
    later = [each._replace(at_ns=each.at_ns + 20 * MS) for each in events[at:]]
    new = [each._replace(at_ns=each.at_ns + 10 * MS * n) for n, each in enumerate(new)]
    events = [each._replace(seq=n) for n, each in enumerate([*events[:at], *new, *later], 1)]
    played = caller(events, LIVE)
    run = hold(played, LiveSimulator(7, 0, OPTIONS), 50 * MS, named=LIVE)
    assert str(played.verdict).startswith("PASS"), played.verdict
    told = [each.type for each in run]
    assert told.index("session.thinking.appended") < told.index("session.close")


class Deaf:
    """Takes the upgrade, and hangs up when the session is asked for."""

    def __init__(self) -> None:
        self._sent: list[Message] = []

    def receive(self, message: Message, now: int) -> None:
        if message.kind == "ws.open":
            head = ResponseHead(101, "Switching Protocols")
            self._sent.append(Message(message.channel, "ws.open", head.encode()))
        elif message.kind == "ws.text":
            self._sent.append(Message(message.channel, "ws.close", Close(1011).encode()))

    def due(self, now: int) -> list[Message]:
        sent, self._sent = self._sent, []
        return sent

    def next_deadline(self) -> int | None:
        return 0 if self._sent else None


def test_nothing_waits_for_an_id_that_cannot_come_any_more() -> None:
    played = caller(tape(Followed), LIVE)
    run = hold(played, Deaf(), named=LIVE)
    assert len(heads(run)) == 1
    assert run[-1].at_ns < 1000 * MS
    assert played.verdict.outcome == "fail"
    assert "nothing stands for live_u0_" in str(played.verdict.notes)


def test_what_joins_a_session_that_is_not_made_here_is_left_out() -> None:
    """One by WebRTC, and one by telephone that a webhook told."""
    session = b'{"session":{"id":"live_1"},"transport":{"sdp":"v=0"}}'
    told = b'{"type":"live.transport.incoming","data":{"session_id":"live_2"}}'
    found = read_plan(
        [
            *asked(1, "POST", "/v1/live/sessions", session),
            *asked(2, "GET", "/v1/live/sessions/live_1/attach"),
            *asked(3, "POST", "/v1/live/sessions/live_1/hangup"),
            *asked(4, "POST", "/hook", b"{}", told, kind="webhook"),
            *asked(5, "POST", "/v1/live/sessions/live_2/accept"),
            *asked(6, "GET", "/v1/live/sessions/live_3/content"),
        ],
        LIVE,
        Rulebook(LIVE.RULES),
    )
    assert [entry.what.request.path for entry in found.entries] == [
        "/v1/live/sessions/live_3/content"
    ]
    assert found.skipped == (
        "POST /v1/live/sessions: its audio is not on the tape",
        "the socket that joins a call at /v1/live/sessions/live_1/attach",
        "POST /v1/live/sessions/live_1/hangup: its call is not made here",
        "POST /v1/live/sessions/live_2/accept: its call is not made here",
    )


def asked(
    channel: int, method: str, path: str, answer: bytes = b"", body: bytes = b"", kind: str = "http"
) -> list[Event]:
    is_socket = path.endswith("/attach")
    name = f"{method} {path}"
    sides: tuple[Sender, Sender] = ("client", "provider")
    if kind == "webhook":
        sides, name = ("provider", "client"), "live.transport.incoming"
    opening = "ws.open" if is_socket else f"{kind}.request"
    head = RequestHead(method, path, "", KEY).encode()
    ended = "ws.open" if is_socket else f"{kind}.response"
    status = 101 if is_socket else 200
    rows: list[tuple[Sender, Any, str, bytes]] = [
        (sides[0], opening, name, head),
        (sides[0], "http.chunk", name, body),
        (sides[0], "http.chunk", name, b""),
        (sides[1], ended, str(status), ResponseHead(status, "OK").encode()),
        (sides[1], "http.chunk", name, answer),
        (sides[1], "http.chunk", name, b""),
    ]
    return [
        Event("t", 10 * channel + at, channel * MS, channel, *row)
        for at, row in enumerate(rows)
        if not (is_socket and row[1] == "http.chunk")
    ]
