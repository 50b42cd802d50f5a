"""The client of a tape talks to a simulated Realtime API: as on the tape, and otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from calling import MS, caller, digest, hold
from openai_tapes import LONG, REPLIES, Silent, simulator, spoken, typed

from recorder.events import Event, Message
from recorder.heads import ResponseHead
from replay.caller import Caller
from replay.caller.distance import Distant

ACCEPTED = Message(1, "ws.open", ResponseHead(101, "Switching Protocols").encode())


@pytest.fixture(scope="module")
def typed_tape() -> list[Event]:
    return typed()


@pytest.fixture(scope="module")
def spoken_tape() -> list[Event]:
    return spoken()


def notes(played: Caller) -> list[str]:
    return [str(note) for note in played.verdict.notes]


def sent(run: list[Event], type_: str) -> list[Any]:
    """The client's messages of a type."""
    return [json.loads(each.body) for each in run if (each.sender, each.type) == ("client", type_)]


def heard(run: list[Event], type_: str) -> list[Any]:
    """The provider's messages of a type."""
    found = [each for each in run if (each.sender, each.type) == ("provider", type_)]
    return [json.loads(each.body) for each in found]


def outputs(run: list[Event]) -> list[Any]:
    items = [each["item"] for each in sent(run, "conversation.item.create")]
    return [each for each in items if each["type"] == "function_call_output"]


def test_a_typed_conversation_with_the_same_seed_is_the_same(typed_tape: list[Event]) -> None:
    played = caller(typed_tape)
    run = hold(played, simulator(), 2_500_000)
    assert digest(run) == digest(typed_tape)
    assert str(played.verdict) == "PASS steps=10/10 audio=0.0s"
    assert notes(played) == []


def test_a_spoken_one_is_the_same_to_the_nanosecond(
    spoken_tape: list[Event],
) -> None:
    played = caller(spoken_tape)
    service = simulator(2, replies=LONG * 2, pace=1.5)
    run = hold(played, Distant(service, 2_500_000))
    assert digest(run) == digest(spoken_tape)
    mine = [each.body for each in run if each.sender == "client"][1:]
    assert mine == [each.body for each in spoken_tape if each.sender == "client"][1:]
    gaps = {one.at_ns - other.at_ns for one, other in zip(run, spoken_tape, strict=True)}
    assert gaps == {-2_500_000}  # all is as far apart as it was
    assert played.verdict.outcome == "pass"


def test_another_seed_differs_and_passes(typed_tape: list[Event]) -> None:
    played = caller(typed_tape)
    run = hold(played, simulator(7, replies=()), 2_500_000)
    assert digest(run) != digest(typed_tape)
    assert played.verdict.outcome == "pass"


@pytest.mark.parametrize("pace", [0.8, 4.0, 30.0])
@pytest.mark.parametrize("latency_ms", [0, 2_000])
def test_a_service_of_another_speed_is_waited_for(
    spoken_tape: list[Event], pace: float, latency_ms: int
) -> None:
    played = caller(spoken_tape)
    options = {"replies": LONG * 2, "pace": pace, "latency_ms": latency_ms}
    run = hold(played, simulator(5, **options), 0)
    assert str(played.verdict).startswith("PASS steps=5/5")
    assert len(heard(run, "response.done")) == 2
    assert len(sent(run, "conversation.item.truncate")) == 1


def test_what_is_truncated_is_what_was_heard_here(spoken_tape: list[Event]) -> None:
    run = hold(caller(spoken_tape), simulator(5, replies=LONG * 2, pace=1.5), 0)
    (cut,) = sent(run, "conversation.item.truncate")
    (recorded,) = sent(spoken_tape, "conversation.item.truncate")
    items = {each["item_id"] for each in heard(run, "response.output_audio.delta")}
    assert cut["item_id"] in items
    assert cut["item_id"] != recorded["item_id"]
    assert abs(cut["audio_end_ms"] - recorded["audio_end_ms"]) <= 40
    assert heard(run, "conversation.item.truncated")
    assert not heard(run, "error")


def test_an_interruption_that_does_not_come_is_noted(spoken_tape: list[Event]) -> None:
    played = caller(spoken_tape)
    run = hold(played, simulator(5, replies=("Yes.", "No."), pace=4.0), 0)
    assert played.verdict.outcome == "pass"
    assert sent(run, "conversation.item.truncate") == []
    assert notes(played) == [
        "turn 1: the reply was over before 626 ms of it were heard",
        "turn 2: no interruption came",
    ]


def test_a_call_that_the_tape_does_not_have_is_answered(typed_tape: list[Event]) -> None:
    tape = typed(simulator(cues={}, replies=REPLIES), replies=())
    without = [each for each in tape if "function_call" not in each.body.decode("latin-1")]
    assert outputs(without) == []
    service = simulator(cues={"morning": "get_weather"})
    played = caller(typed_tape)
    run = hold(played, service, 0)
    first, *_ = outputs(run)
    assert first["output"] == '{"celsius":18}'  # as the tape has it for this function
    calls = [each["call_id"] for each in heard(run, "response.function_call_arguments.done")]
    assert [each["call_id"] for each in outputs(run)] == calls
    assert len(calls) == 2
    assert played.verdict.outcome == "pass"
    assert len(notes(played)) == 2
    assert "turn 1: get_weather was called with" in notes(played)[0]
    assert notes(played)[1].startswith("turn 2: get_weather was called once more than on the tape")


def test_a_function_without_a_result_gets_an_error_or_a_double(typed_tape: list[Event]) -> None:
    tape = [each for each in typed_tape if each.seq <= _turn_end(typed_tape)]
    for doubles, output in (
        ({}, '{"error": "no result of get_weather'),
        ({"get_weather": "x"}, "x"),
    ):
        played = caller(tape, doubles=doubles)
        run = hold(played, simulator(cues={"morning": "get_weather"}), 0)
        (answer,) = outputs(run)
        assert answer["output"].startswith(output)
        assert len(sent(run, "response.create")) == 2  # it also asks for what follows
        assert played.verdict.outcome == "pass"
        assert notes(played)[0].startswith("turn 1: get_weather was called, on the tape it was not")


def _turn_end(tape: list[Event]) -> int:
    return next(each.seq for each in tape if each.type == "response.done")


def test_a_call_that_does_not_come_asks_for_nothing_more(typed_tape: list[Event]) -> None:
    played = caller(typed_tape)
    tool = [each for each in typed_tape if each.type == "session.update"]
    assert tool
    service = simulator(replies=REPLIES)
    run = hold(played, _NoTools(service), 0)
    assert outputs(run) == []
    assert len(sent(run, "response.create")) == 3
    assert str(played.verdict) == "PASS steps=8/10 audio=0.0s"


class _NoTools:
    """A service that is told of no functions."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self.due, self.next_deadline = service.due, service.next_deadline

    def receive(self, message: Message, now: int) -> None:
        if message.kind == "ws.text":
            told = json.loads(message.body)
            told.get("session", {}).pop("tools", None)
            message = message._replace(body=json.dumps(told).encode())
        self._service.receive(message, now)


def test_doubles_come_before_the_tape(typed_tape: list[Event]) -> None:
    played = caller(typed_tape, doubles={"get_weather": "storm", "get_wether": "storm"})
    run = hold(played, simulator(), 0)
    assert [each["output"] for each in outputs(run)] == ["storm"]
    idle = [note.text for note in played.verdict.notes if "double" in note.text]
    assert idle == ["double never used: get_wether"]


def test_a_service_that_says_nothing_is_given_up(typed_tape: list[Event]) -> None:
    played = caller(typed_tape, patience_s=4.0)
    run = hold(played, Silent([ACCEPTED]), 0)
    verdict = played.verdict
    assert (verdict.outcome, verdict.steps) == ("inconclusive", 0)
    assert verdict.reason == "the session did not begin within 4 s of what came before"
    assert run[-1].at_ns < 5_000 * MS
    assert run[-1].type == "1000"  # it hangs up


def test_a_service_that_stalls_in_the_middle_is_given_up(typed_tape: list[Event]) -> None:
    class Stalling:
        def __init__(self) -> None:
            self._service, self._done = simulator(), 0
            self.receive, self.next_deadline = self._service.receive, self._service.next_deadline

        def due(self, now: int) -> list[Message]:
            sent = self._service.due(now)
            self._done += sum(b'"response.done"' in each.body for each in sent)
            return sent if self._done < 3 else []

    played = caller(typed_tape)
    hold(played, Stalling(), 0)
    assert played.verdict.outcome == "inconclusive"
    assert played.verdict.reason.startswith("turn 2: the reply did not end within 15 s")
    assert 0 < played.verdict.steps < 10


def test_a_service_that_does_not_even_answer_ends_within_the_bound(
    typed_tape: list[Event],
) -> None:
    played = caller(typed_tape, limit_s=3.0)
    hold(played, Silent(), 0)
    assert played.verdict.outcome == "inconclusive"
    assert played.verdict.reason == "it was not over after 3 s (--max-seconds)"


def test_a_refused_upgrade_is_a_failure(typed_tape: list[Event]) -> None:
    told = json.dumps({"error": {"message": "You have no access."}}).encode()
    refusal = Message(1, "ws.open", ResponseHead(403, "Forbidden").encode(), told)
    played = caller(typed_tape)
    hold(played, Silent([refusal]), 0)
    reason = "the upgrade was refused with status 403: You have no access."
    assert (played.verdict.outcome, played.verdict.reason) == ("fail", reason)


def test_an_error_and_a_close_are_a_failure(typed_tape: list[Event]) -> None:
    played = caller(typed_tape)
    run = hold(played, simulator(has_credit=False), 0)
    assert played.verdict.outcome == "fail"
    assert played.verdict.reason.startswith("credit_balance_exhausted: You have no credits")
    assert [str(note) for note in played.verdict.notes] == [
        "the provider closed the connection: 1013 insufficient_quota.credit_balance_exhausted"
    ]
    assert run[-1].type == "1013"


def test_a_close_in_the_middle_is_a_failure(typed_tape: list[Event]) -> None:
    played = caller(typed_tape)
    hold(played, simulator(session_s=1), 0)
    assert played.verdict.outcome == "fail"
    assert played.verdict.reason.startswith("turn 2: session_expired")


def test_silence_goes_on_until_the_service_has_heard_the_end(spoken_tape: list[Event]) -> None:
    """A detector that waits longer than the one of the tape hears the end of the speech all the
    same, though the tape has no more audio."""
    played = caller(spoken_tape)
    service = _Patient(simulator(5, replies=LONG * 2, pace=1.5))
    run = hold(played, service, 0)
    assert played.verdict.outcome == "pass"
    assert len(heard(run, "input_audio_buffer.speech_stopped")) == 2
    assert len(sent(run, "input_audio_buffer.append")) > len(
        sent(spoken_tape, "input_audio_buffer.append")
    )


class _Patient:
    """A service whose turns end after two seconds of silence."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self.due, self.next_deadline = service.due, service.next_deadline

    def receive(self, message: Message, now: int) -> None:
        if message.kind == "ws.text" and b"turn_detection" in message.body:
            told = json.loads(message.body)
            told["session"]["audio"]["input"]["turn_detection"]["silence_duration_ms"] = 2000
            message = message._replace(body=json.dumps(told).encode())
        self._service.receive(message, now)
