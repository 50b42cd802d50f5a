"""The parts of a caller on their own: names, tools, microphone, budget, distance."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybase64 import b64decode
from replaying import BOOK, OPENAI, events
from tapes import Script, session_object, tone

from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.pricing import Meter, PriceBook
from recorder.providers import PROVIDERS
from recorder.providers.neutral import ToolCalled
from replay.caller import read_plan
from replay.caller.acts import Result, SocketPlan
from replay.caller.budget import Budget, cost_by_turn
from replay.caller.distance import Distant
from replay.caller.microphone import Microphone
from replay.caller.names import Names, text_of
from replay.caller.notes import Notes, verdict
from replay.caller.tools import Tools
from replay.match.rulebook import Rulebook
from replay.script import ExchangeScript

MS = 1_000_000
VAPI = PROVIDERS["vapi"]
SECRET = "[redacted:0123456789ab]"


def exchange(received: Any) -> ExchangeScript:
    head, body = RequestHead("POST", "/call"), json.dumps(received).encode()
    return ExchangeScript(1, 1, 6, "POST /call", head, b"", ResponseHead(201), body, 0, 0, 0)


# Doubles


def test_a_double_that_was_never_used_is_told() -> None:
    notes = Notes()
    notes.doubled.add("clock")
    told = verdict(notes, 1, None, {"clock": "12:00", "clok": "12:00"}).notes
    assert [str(note) for note in told] == ["double never used: clok"]


# Names


def test_a_secret_that_an_answer_told_is_used_where_the_tape_has_its_marker() -> None:
    names = Names(BOOK, "http://host")
    head = RequestHead("GET", "/v1/realtime", "", (("Authorization", f"Bearer {SECRET}"),))
    assert names.head(head).headers == ()
    assert names.head(head, (("Authorization", "Bearer own"),)).headers[0][1] == "Bearer own"
    names.answered(exchange({"value": SECRET}), b'{"value": "ek_live"}')
    assert names.head(head, (("authorization", "Bearer own"),)).headers == (
        ("Authorization", "Bearer ek_live"),
    )


def test_protocols_and_queries_lose_what_is_not_known() -> None:
    protocols = f"realtime, openai-insecure-api-key.{SECRET}, openai-beta.realtime-v1"
    headers = (("Sec-WebSocket-Protocol", protocols), ("Host", "there"))
    head = RequestHead("GET", "/v1/realtime", f"model=x&key={SECRET}", headers)
    made = Names(BOOK, "http://host").head(head)
    assert made.subprotocols == ("realtime", "openai-beta.realtime-v1")
    assert (made.query, len(made.headers)) == ("model=x", 1)


@pytest.mark.parametrize(
    ("base", "url", "path"),
    [
        ("https://api.vapi.ai", "wss://phone.vapi.ai/9-live/transport", None),
        ("http://127.0.0.1:9/vapi", "ws://127.0.0.1:9/vapi/9-live/transport", "/9-live/transport"),
        ("http://127.0.0.1:9", "ws://127.0.0.1:9/9-live/transport", "/9-live/transport"),
    ],
)
def test_a_socket_is_where_the_new_answer_says(base: str, url: str, path: str | None) -> None:
    names = Names(Rulebook(VAPI.RULES), base)
    recorded = {"id": "0-on-tape", "transport": {"websocketCallUrl": SECRET}}
    live = {"id": "9-live", "transport": {"websocketCallUrl": url}}
    names.answered(exchange(recorded), json.dumps(live).encode())
    head = names.head(RequestHead("GET", "/0-on-tape/transport"))
    assert head.path == (path or url)
    control = RequestHead("POST", "/0-on-tape/control")
    assert names.head(control).path == "/9-live/control"
    assert names.body(b'{"callId":"0-on-tape"}') == b'{"callId":"9-live"}'


def test_a_refusal_is_told_in_its_own_words() -> None:
    assert text_of(b'{"error":{"message":"no key"}}') == "no key"
    assert text_of(b'{"message":"no call","statusCode":404}') == "no call"
    assert text_of(b"<b>not\n found</b>") == "<b>not found</b>"


# Tools


def tools(*results: tuple[str, str, str], **doubles: str) -> Tools:
    made = [
        Result(seq, 1, name, arguments, "conversation.item.create", _output(seq, text), seq)
        for seq, (name, arguments, text) in enumerate(results, 1)
    ]
    return Tools(OPENAI.CONDUCT, made, doubles, set())


def _output(seq: int, text: str) -> bytes:
    item = {"type": "function_call_output", "call_id": f"call_{seq}", "output": text}
    return json.dumps({"type": "conversation.item.create", "item": item}).encode()


def test_equal_arguments_come_before_the_order_of_the_tape() -> None:
    asked = tools(("f", '{"a":1}', "one"), ("f", '{"a": 2, "b": 3}', "two"), ("g", "{}", "three"))
    reply = asked.answer(ToolCalled("call_x", "f", '{"b":3.0,"a":2}'))
    item = json.loads(reply.body)["item"]
    assert (item["output"], item["call_id"], reply.seq, reply.note) == ("two", "call_x", 2, "")
    other = asked.answer(ToolCalled("call_y", "f", '{"a":9}'))
    assert json.loads(other.body)["item"]["output"] == "one"
    assert other.note == 'f was called with {"a":9}, on the tape with {"a":1}'
    again = asked.answer(ToolCalled("call_z", "f", '{"a":2,"b":3}'))
    assert json.loads(again.body)["item"]["output"] == "two"
    assert again.note == "f was called once more than on the tape: answered as before"


def test_the_same_call_is_answered_byte_for_byte() -> None:
    asked = tools(("f", "{}", "é  one"))
    assert asked.answer(ToolCalled("call_1", "f", "{}")).body == _output(1, "é  one")


# The microphone


def spoken() -> SocketPlan:
    script = Script().open().provider("session.created", session=session_object())
    script.append(tone(200)).provider("input_audio_buffer.speech_stopped").wait(3000)
    (entry,) = read_plan(events(script.close().takes), OPENAI, BOOK).entries
    assert isinstance(entry.what, SocketPlan)
    return entry.what


def test_silence_of_the_same_shape_follows_until_the_end_is_heard() -> None:
    microphone, act = Microphone(), spoken().acts[0]
    microphone.speak(act, 1_000 * MS)
    whens = []
    for _ in range(4):
        ready = microphone.next(is_awaited=True)
        assert ready is not None
        whens.append(ready[0] // MS)
        chunk = microphone.take()
    assert whens == [1000, 1100, 1250, 1350]  # what the tape has next may come a little late
    audio = json.loads(chunk.body)["audio"]
    assert b64decode(audio) == bytes(4800)
    assert microphone.next(is_awaited=False) is None


# Money


def bill(*costs: int) -> Script:
    """Typed turns whose replies are of so many tokens."""
    script = Script().open().provider("session.created", session=session_object())
    for number, tokens in enumerate(costs):
        script.wait(10).client("response.create").wait(10)
        script.provider("response.created", response={"id": f"r{number}"})
        usage = {
            "input_tokens": tokens,
            "output_tokens": 0,
            "input_token_details": {"text_tokens": tokens},
        }
        done = {"id": f"r{number}", "status": "completed", "usage": usage}
        script.provider("response.done", response=done)
    return script.close()


def test_each_turn_of_a_tape_has_its_cost() -> None:
    tape = events(bill(1000, 3000).takes)
    meter = Meter(OPENAI, PriceBook.shipped())
    costs = cost_by_turn(tape, read_plan(tape, OPENAI, BOOK), meter)
    assert costs is not None
    assert (costs[0], costs[2]) == (0, 3 * costs[1])
    assert sum(costs) == meter.usd


def test_a_turn_that_would_pass_the_budget_is_refused() -> None:
    budget = Budget(
        Meter(OPENAI, PriceBook.shipped()), Decimal("0.01"), [Decimal(0), Decimal("0.02")]
    )
    assert budget.refuses(0) is None
    assert "would be passed: $0.0000 spent, $0.0200 for this turn" in str(budget.refuses(1))
    assert budget.exceeded is None
    for event in events(bill(1_000_000).takes):
        if event.sender == "provider" and event.kind == "ws.text":
            budget.take(event.type, event.body)
    assert "is passed" in str(budget.exceeded)


# The end


def test_a_failure_counts_before_what_stopped_the_run() -> None:
    notes = Notes()
    assert str(verdict(notes, 3, None)) == "PASS steps=0/3 audio=0.0s"
    notes.give_up(2, "no reply came")
    notes.give_up(3, "later")
    assert str(verdict(notes, 3, Decimal("0.1"))) == (
        "INCONCLUSIVE steps=0/3 audio=0.0s cost=$0.1000: turn 2: no reply came"
    )
    notes.fail(1, "it hung up")
    assert verdict(notes, 3, None).reason == "turn 1: it hung up"
    assert [str(note) for note in verdict(notes, 3, None).notes] == ["turn 2: no reply came"]


# Distance


class Echo:
    """Answers each message `wait` ns later."""

    def __init__(self, wait: int) -> None:
        self._wait = wait
        self._due: list[tuple[int, Message]] = []

    def receive(self, message: Message, now: int) -> None:
        self._due.append((now + self._wait, message))

    def due(self, now: int) -> list[Message]:
        sent = [message for when, message in self._due if when <= now]
        self._due = [each for each in self._due if each[0] > now]
        return sent

    def next_deadline(self) -> int | None:
        return min((when for when, _ in self._due), default=None)


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(0, 20), st.integers(0, 20))
def test_a_way_delays_all_alike_and_keeps_the_order(gaps: list[int], delay: int, wait: int) -> None:
    machine, now, sent, got = Distant(Echo(wait), delay), 0, [], []
    for gap in gaps:
        now += gap
        body = Close(1000, str(len(sent))).encode()
        sent.append((now + 2 * delay + wait, body))
        while (when := machine.next_deadline()) is not None and when < now:
            got += [(when, each.body) for each in machine.due(when)]
        machine.receive(Message(1, "ws.close", body), now)
    while (when := machine.next_deadline()) is not None:
        got += [(when, each.body) for each in machine.due(when)]
    assert got == sent
