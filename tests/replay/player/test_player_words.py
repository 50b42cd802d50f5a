"""A tape whose words and telephone numbers were taken out still fits the live conversation."""

from __future__ import annotations

import json
from collections.abc import Sequence

import replaying
from tapes import Script, Take, conversation
from vapi_replaying import VAPI, Parties, Tape, call, player

from recorder.heads import Close
from recorder.providers.base import Provider
from recorder.redact import Redactor, Secrets

ASKED = {
    "assistant": {"firstMessage": "Hello, Ann.", "model": {"provider": "openai"}},
    "customer": {"number": "+14155550100"},
    "transport": {"provider": "vapi.websocket"},
}
CHOSEN = {"destination": {"type": "number", "number": "+14155550101", "message": "Hold on, Ann."}}
ADDED = {"type": "add-message", "message": {"role": "user", "content": "I am Ann."}}


def hidden(takes: Sequence[Take], provider: Provider) -> list[Take]:
    """The takes as they are stored with personal data left out."""
    redactor = Redactor(Secrets(b"key", personal=True), provider.PERSONAL)
    tracker = provider.tracker()
    made = []
    for take in takes:
        _, channel, sender, kind, type_, body = take
        name = tracker.inspect(channel, sender, kind, type_, body).type
        made.append(take._replace(body=redactor.redact(channel, sender, kind, name, body)))
    return made


def test_a_call_without_its_words_is_played_to_a_client_that_says_them() -> None:
    tape = Tape().ask("POST", "/call", ASKED, call(name="+14155550100"), 201)
    tape.hook("transfer-destination-request", CHOSEN).open().says("status-update", status="x")
    tape.script.wait(20).client(ADDED["type"], message=ADDED["message"])  # type: ignore[arg-type]
    tape.wait(20).says("transcript", role="user", transcript="I am Ann.").wait(20).close()
    tape.script.takes[:] = hidden(tape.takes, VAPI)
    whole = b"".join(take.body for take in tape.takes)
    assert b"Ann" not in whole
    assert b"141555501" not in whole
    machine = player(tape)
    parties = Parties(machine)
    assert parties.ask("POST", "/call", ASKED)["name"] == "[redacted]"
    parties.answer(0, CHOSEN).open()
    parties.give(2, "ws.text", json.dumps(ADDED).encode())
    parties.give(2, "ws.close", Close(1000).encode()).run(100)
    assert machine.failure is None
    assert machine.finished
    said = [json.loads(each.body) for each in parties.got if each.kind == "ws.text"]
    assert said[-1] == {"type": "transcript", "role": "user", "transcript": "[redacted]"}


def test_but_not_to_one_that_does_something_else() -> None:
    tape = Tape().ask("POST", "/call", ASKED, call(), 201)
    tape.script.takes[:] = hidden(tape.takes, VAPI)
    machine = player(tape)
    Parties(machine).ask("POST", "/call", {**ASKED, "customer": {"name": "Ann"}})
    assert machine.failure


def test_a_conversation_of_openai_without_its_words() -> None:
    spoken = conversation()
    takes = hidden(spoken, replaying.OPENAI)
    assert b"[redacted]" in b"".join(take.body for take in takes)
    machine = replaying.player(takes)
    client = replaying.Client(machine)
    for take in spoken:
        if take.sender == "client":
            client.give(take.kind, take.body)
    assert machine.failure is None
    assert machine.finished


def test_typed_words_are_not_compared() -> None:
    def typed(text: str) -> Script:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        return Script().open().client("conversation.item.create", item=item).close()

    machine = replaying.player(hidden(typed("I am Ann.").takes, replaying.OPENAI))
    client = replaying.Client(machine)
    for take in typed("I am Ben.").takes:
        if take.sender == "client":
            client.give(take.kind, take.body)
    assert machine.failure is None
