"""The caller of a trial with GPT-Live: what it sends, how it ends, and what it understands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rehearsal import rehearse
from scenes import clips, scenario

from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import Close, ResponseHead
from recorder.trial.doubles import Doubles
from recorder.trial.live_wording import LiveWording
from recorder.trial.sides import side
from recorder.trial.sides.openai_live import LiveCall
from recorder.trial.steps import Cue
from recorder.trial.targets import key_name
from recorder.trial.wording import CallMade, Refused, ReplyBegan, ReplyEnded, Said

LIVE = side("openai-live")
SPEAKS = ('speaks_first = "user"', 'speaks_first = "agent"')
FIRST = ('instructions = "You', 'first_message = "Hello."\ninstructions = "You')
OWN = "[provider.openai]"
_NS = 1_000_000_000


def own(words: str) -> tuple[str, str]:
    return OWN, f"[provider.openai-live]\n{words}\n{OWN}"


def sent(run: Any) -> list[dict[str, Any]]:
    events = [json.loads(body) for body in run.sent("ws.text")]
    return [event for event in events if event["type"] != "session.input_audio.append"]


def test_it_is_told_in_the_start_of_a_session() -> None:
    compiled = LIVE.compile(scenario())
    session = compiled.settings["session"]
    assert session["model"] == "gpt-live-1"
    assert session["instructions"] == "You book tables."
    assert session["audio"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    backend = session["delegation"]["responses"]
    assert [tool["name"] for tool in backend["tools"]] == ["book_table"]
    assert backend["instructions"] == "You book tables."
    assert compiled.priced == (("session", "gpt-live-1"), ("backend", "gpt-4.1"))


def test_its_own_table_changes_what_only_it_has() -> None:
    made = scenario(own('model = "gpt-live-1.1"\nbackend = "gpt-5-mini"\nvoice = "cedar"'))
    session = LIVE.compile(made).settings["session"]
    assert session["model"] == "gpt-live-1.1"
    assert session["delegation"]["responses"]["model"] == "gpt-5-mini"
    assert session["audio"]["output"] == {"voice": "cedar"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("tempo = 2", "unknown key 'tempo'; valid are model, backend"),
        ('session = { instructions = "x" }', "agent.instructions decides it"),
        ("session = { delegation = { responses = { tools = [] } } }", "agent.tools decides it"),
    ],
)
def test_its_own_table_cannot_undo_what_is_common(words: str, told: str) -> None:
    with pytest.raises(RecorderError) as refused:
        LIVE.compile(scenario(own(words)))
    assert told in str(refused.value)


def test_it_shares_the_key_of_the_other_protocol() -> None:
    assert key_name("openai-live") == key_name("openai") == "OPENAI_API_KEY"


def test_a_session_is_started_greeted_and_closed() -> None:
    made = scenario(SPEAKS, FIRST)
    run = rehearse(made, clips(made), "openai-live")
    assert run.party.failed is None
    events = sent(run)
    assert events[0]["type"] == "session.start"
    assert events[1] == {
        "type": "session.commentary.append",
        "content": "Hello.",
        "delegation_id": None,
    }
    assert events[-1]["type"] == "session.close"
    said = [json.loads(each.message.body) for each in run.crossed if each.sender == "provider"]
    assert said[-1]["type"] == "session.closed"
    assert run.said[0] == "Hello."


def test_a_function_is_answered_once_the_response_that_called_it_is_over() -> None:
    made = scenario()
    run = rehearse(made, clips(made), "openai-live")
    types = [event["type"] for event in sent(run)]
    assert types.count("response.create") == len(run.calls) == 1
    assert types.index("response.item.create") < types.index("response.create")


def call() -> LiveCall:
    made = LiveCall({"model": "gpt-live-1"}, None, [Cue("session_ready", 0, 1000)], Doubles(()))
    made.due(0)
    accepted = ResponseHead(101, "Switching Protocols").encode()
    made.receive(Message(1, "ws.open", accepted), 0)
    return made


def test_a_session_that_does_not_close_is_a_failure() -> None:
    made = call()
    made.receive(Message(1, "ws.text", b'{"type":"session.started"}'), 0)
    assert [json.loads(each.body)["type"] for each in made.due(_NS)][-1] == "session.close"
    assert not made.finished
    assert made.next_deadline() == 16 * _NS
    assert [each.kind for each in made.due(16 * _NS)] == ["ws.close"]
    assert made.finished
    assert made.failed == "no session.closed within 15 s"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (Message(1, "ws.close", Close(1011).encode()), "closed the connection: 1011"),
        (
            Message(1, "ws.text", b'{"type":"session.closed","reason":"expired"}'),
            "ended the session: expired",
        ),
        (
            Message(1, "ws.text", b'{"type":"error","error":{"message":"No."}}'),
            "the provider refused: No.",
        ),
        (Message(1, "ws.binary", b"x"), "sent a binary frame"),
    ],
)
def test_what_ends_a_run(message: Message, told: str) -> None:
    made = call()
    made.receive(message, 0)
    assert made.failed is not None
    assert told in made.failed


def test_a_refused_upgrade_ends_it_at_once() -> None:
    made = LiveCall({"model": "m"}, None, [], Doubles(()))
    made.due(0)
    made.receive(Message(1, "ws.open", ResponseHead(401, "Unauthorized").encode(), b"no key"), 0)
    made.due(0)
    assert made.finished
    assert made.failed == "the upgrade was refused with status 401: no key"


def nested(**event: Any) -> bytes:
    return json.dumps({"type": "response.event", "event": event}).encode()


def test_words_are_one_speech_until_a_gap() -> None:
    wording = LiveWording()
    pieces = [(0, "One"), (200, " moment."), (1400, "It"), (1600, " is ten.")]
    told = [
        wording.read(
            json.dumps(
                {
                    "type": "session.output_transcript.delta",
                    "start_ms": at,
                    "end_ms": at + 200,
                    "delta": text,
                }
            ).encode()
        )
        for at, text in pieces
    ]
    assert told[1] == [Said("speech-0", "One moment.")]
    assert told[3] == [Said("speech-1", "It is ten.")]


def test_the_responses_behind_the_voice_are_replies() -> None:
    wording = LiveWording()
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    failed = {"id": "r", "error": {"message": "No."}}
    assert wording.read(nested(type="response.created", response={"id": "r"})) == [ReplyBegan("r")]
    assert wording.read(nested(type="response.output_item.done", item=item)) == [
        CallMade("", "c", "f", "{}")
    ]
    assert wording.read(nested(type="response.completed", response={"id": "r"})) == [
        ReplyEnded("r", "completed")
    ]
    assert wording.read(nested(type="response.failed", response=failed)) == [
        ReplyEnded("r", "failed", "No.")
    ]
    assert wording.read(b'{"type":"session.usage.updated"}') == []
    for body in (b"{", b"[]", b'{"type":"response.event"}'):
        [signal] = wording.read(body)
        assert isinstance(signal, Refused)
