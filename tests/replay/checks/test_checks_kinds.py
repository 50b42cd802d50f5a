"""Each kind of check: when it passes, fails, lacks evidence, or does not apply."""

from __future__ import annotations

from dataclasses import replace

import pytest
from checking import CUT, TAPE, UNTIMED, judge, tape, with_message
from tapes import Script, conversation

from recorder.projections.marks import MetricRow
from replay.checks import KINDS
from replay.checks.tape import REPLAYED

EMPTY = tape(Script().open().close().takes)
FAILED = tape(
    with_message(
        conversation(), "error", error={"type": "server_error", "code": "boom", "message": "Oh."}
    )
)
LOST = tape(Script().open().close(1006).takes)
_V2V = [
    MetricRow("tape", turn, turn, "v2v_ms", value, "ms", "v2v_ms/1", "{}", turn, turn + 1)
    for turn, value in enumerate((400.0, 900.0), 1)
]
MEASURED = tape(conversation(), metrics=_V2V)
PLAYED = replace(MEASURED, untimed=REPLAYED)

PASS = [
    'event = "response.done"',
    'event = "response.*"',
    'event = "response.done"\nwhere = { "response.status" = "completed" }',
    'event = "response.created"\nwithin_ms = 300\nafter = "input_audio_buffer.speech_stopped"',
    'no_event = "error"',
    'no_event = "response.done"\nwhere = { "response.status" = "failed" }',
    'count = "response.done"\nmin = 2\nmax = 2',
    'order = ["session.created", "response.created", "response.done"]',
    'says = "good morning"',
    'says = { contains = "morning", none = ["evening"], regex = "^Good" }\nturn = 1',
    'says = { any = ["evening", "morning"] }',
    'says = "hello THERE"\nby = "user"',
    "max_words = 2",
    'calls = "clock"',
    'calls = "clock"\nargs = { city = "Łódź" }\nexact = true\nturn = 2',
    'calls = "clock"\noutput = { regex = "^12" }',
    'calls = "clock"\noutput = { "$" = { regex = "^12" } }',
    'never_calls = ["cancel", "pay"]',
    'call_order = "clock"\nexact = true',
    'call_count = "*"\nmin = 1\nmax = 1',
    "no_duplicate_calls = true",
    "answered_within_ms = 100",
    "latency_ms = { max = 2000, p50 = 2000 }",
    'latency_ms = { max = 500 }\nfrom = "asked"\nto = "response"\nturn = 2',
    "duration_s = { min = 5, max = 12 }",
    "turns = 2",
    'response_status = "completed"',
    "interruptions = 0",
    "no_errors = true",
    'ended_by = "client"',
    'ended_reason = "1000*"',
    "closed_cleanly = true",
    "tokens = { max = 10000 }",
    'tokens = { min = 40, max = 40 }\nmeter = "audio_out"',
]


@pytest.mark.parametrize("text", PASS)
def test_it_passes(text: str) -> None:
    verdict = judge(text)
    assert verdict.outcome == "pass", verdict
    assert verdict.reason


FAIL = [
    ('event = "nothing"', "there is no nothing", 0),
    (
        'event = "response.done"\nwhere = { "response.status" = "failed" }',
        "there is no response.done where $.response.status is 'failed'; "
        "response.done is there, 2 times",
        2,
    ),
    (
        'event = "response.created"\nwithin_ms = 10\nafter = "input_audio_buffer.speech_stopped"',
        "response.created came 200 ms after input_audio_buffer.speech_stopped, allowed are 10 ms",
        2,
    ),
    ('no_event = "response.done"', "response.done is there, 2 times", 2),
    ('count = "response.done"\nmax = 1', "response.done is there 2 times, wanted at most 1", 2),
    (
        'order = ["response.done", "session.created"]',
        "there is no session.created after response.done (event 46)",
        1,
    ),
    (
        'says = "evening"',
        "the agent does not say 'evening' in any turn (turn 1: “Good morning.”)",
        1,
    ),
    ('says = { none = ["morning"] }', "the agent says 'morning' (turn 1: “Good morning.”)", 1),
    ('says = "morning"\nturn = 9', "there is no turn 9: the tape has 2", 0),
    ("max_words = 1", "the longest turn of the agent (1) has 2 words, allowed are 1", 1),
    ('calls = "cancel"', "cancel is not called; called is clock ×1", 0),
    (
        'calls = "clock"\nargs = { city = "Kraków" }',
        """clock is called, but $.city is "Łódź", wanted 'Kraków'""",
        2,
    ),
    (
        'calls = "clock"\nargs = { zone = { exists = true } }',
        "clock is called, but $.zone is absent, wanted there",
        2,
    ),
    ('calls = "clock"\nexact = true', "clock is called, but it has also city", 2),
    ('never_calls = "clock"', 'clock is called: {"city":"Łódź"}', 2),
    ('call_order = ["clock", "book"]', "called are clock; wanted clock, book", 2),
    ('call_count = "clock"\nmin = 2', "clock is called 1 time, wanted at least 2", 2),
    (
        "answered_within_ms = 10",
        "the slowest result, of clock, took 40 ms, allowed are 10",
        2,
    ),
    (
        "latency_ms = { max = 100 }",
        "user_stopped to first_audio is 350 ms in turn 1, wanted at most 100",
        2,
    ),
    (
        "latency_ms = { p90 = 100 }",
        "user_stopped to first_audio p90 is 350 ms of 1, allowed 100",
        2,
    ),
    ("turns = { min = 3 }", "there are 2 turns, wanted at least 3", 2),
    (
        'response_status = ["failed", "incomplete"]',
        "an answer in turn 1 is completed, wanted failed, incomplete",
        2,
    ),
    ("interruptions = { min = 1 }", "there are 0 interruptions, wanted at least 1", 0),
    ('ended_by = "provider"', "the client ended it, wanted the provider", 0),
    ("tokens = { max = 10 }", "180 tokens used, wanted at most 10", 2),
]


@pytest.mark.parametrize(("text", "reason", "events"), FAIL)
def test_it_fails_with_a_reason_and_its_events(text: str, reason: str, events: int) -> None:
    verdict = judge(text)
    assert verdict.outcome == "fail", verdict
    assert verdict.reason == reason
    assert len(verdict.seqs) == events, verdict


REDACTED = tape(
    each._replace(body=each.body.replace(b"Good morning.", b"[redacted]"))
    for each in conversation()
)


@pytest.mark.parametrize(
    ("text", "on", "reason"),
    [
        ('says = "hello"', EMPTY, "the tape has no words of the agent"),
        ("max_words = 3", EMPTY, "the tape has no words of the agent"),
        ('says = "hello"', REDACTED, "words of the agent in turn 1 were redacted"),
        ('says = { none = ["fool"] }', REDACTED, "words of the agent in turn 1 were redacted"),
        (
            "latency_ms = { max = 1 }",
            EMPTY,
            "no turn has both user_stopped and first_audio; "
            '`metric = "v2v_ms"` is measured by sound, without them',
        ),
        ("latency_ms = { max = 1 }", UNTIMED, "the tape has no times"),
        ("duration_s = { max = 1 }", UNTIMED, "the tape has no times"),
        ("answered_within_ms = 1", UNTIMED, "the tape has no times"),
        ("tokens = { max = 1 }", EMPTY, "the tape tells no use of tokens"),
        ("cost_usd = { max = 1 }", EMPTY, "the tape tells no use that could be priced"),
        ("yields_within_ms = 1", TAPE, "no answer was interrupted, so that nothing was tried"),
        ("latency_ms = { max = 1 }", PLAYED, REPLAYED),
        ('metric = "v2v_ms"\nmax = 1', PLAYED, REPLAYED),
        ('metric = "v2v_ms"\nmax = 1\nturn = 3', MEASURED, "the tape has no v2v_ms of turn 3"),
    ],
)
def test_it_lacks_evidence(text: str, on: object, reason: str) -> None:
    verdict = judge(text, on)  # type: ignore[arg-type]
    assert (verdict.outcome, verdict.reason) == ("inconclusive", reason)


@pytest.mark.parametrize(
    ("text", "on"),
    [("answered_within_ms = 1", EMPTY), ('response_status = "completed"', EMPTY)],
)
def test_it_does_not_apply(text: str, on: object) -> None:
    assert judge(text, on).outcome == "not run"  # type: ignore[arg-type]


def test_a_type_that_nobody_knows_is_remarked() -> None:
    verdict = judge('no_event = "respons.done"')
    assert verdict.outcome == "pass"
    assert verdict.reason == (
        "there is no respons.done (no event of this type is known: is it spelt right, as in "
        "response.done?)"
    )
    assert "known" not in judge('no_event = "rate_limits.updated"').reason


def test_an_error_is_named_with_its_class() -> None:
    verdict = judge("no_errors = true", FAILED)
    assert verdict.outcome == "fail"
    assert "boom: Oh." in verdict.reason
    assert len(verdict.seqs) == 1
    assert judge('no_errors = ["auth"]', FAILED).outcome == "pass"


def test_a_lost_socket_is_not_closed_cleanly() -> None:
    verdict = judge("closed_cleanly = true", LOST)
    assert (verdict.outcome, verdict.reason) == ("fail", "a socket was closed with 1006")


def test_an_interruption_is_timed_from_when_the_user_was_heard() -> None:
    assert judge("interruptions = 1", CUT).outcome == "pass"
    verdict = judge("yields_within_ms = 5", CUT)
    assert verdict.reason == (
        "the answer of turn 1 stopped 10 ms after the user was heard, allowed are 5"
    )
    assert judge("yields_within_ms = 10", CUT).outcome == "pass"


def test_an_interruption_that_nobody_tells_of_is_timed_by_sound() -> None:
    (cut,) = CUT.models.interruptions
    models = replace(CUT.models, interruptions=[cut._replace(detected_ns=None)])
    untold = replace(CUT, models=models, metrics={})
    assert judge("yields_within_ms = 900", untold).outcome == "inconclusive"
    silent = MetricRow("s", 1, cut.turn, "yield_ms", 850.0, "ms", "yield_ms/1", "{}", 4, 9)
    heard = replace(untold, metrics={"yield_ms": [silent]})
    verdict = judge("yields_within_ms = 800", heard)
    assert (verdict.outcome, verdict.seqs) == ("fail", (4, 9))
    assert verdict.reason == (
        "the answer of turn 1 stopped 850 ms after the user began to speak, by sound, "
        "allowed are 800"
    )
    assert judge("yields_within_ms = 900", heard).outcome == "pass"
    elsewhere = replace(untold, metrics={"yield_ms": [silent._replace(turn=cut.turn + 1)]})
    assert judge("yields_within_ms = 900", elsewhere).outcome == "inconclusive"


def test_measured_values_are_judged_each_and_by_percentile() -> None:
    assert judge('metric = "v2v_ms"\nmax = 900\np50 = 400', MEASURED).outcome == "pass"
    verdict = judge('metric = "v2v_ms"\nmax = 800', MEASURED)
    assert verdict.reason == "v2v_ms is 900 ms in turn 2, wanted at most 800"
    assert verdict.seqs == (2, 3)
    verdict = judge('metric = "v2v_ms"\np90 = 800', MEASURED)
    assert verdict.reason == "v2v_ms p90 is 900 ms of 2, allowed 800"


def test_two_calls_alike_in_a_turn_are_found() -> None:
    def called(call: str, arguments: str) -> dict[str, object]:
        return {"call_id": call, "name": "clock", "item_id": "i", "arguments": arguments}

    done = "response.function_call_arguments.done"
    twice = tape(with_message(conversation(), done, **called("call_z", '{ "city": "Łódź"}')))
    verdict = judge("no_duplicate_calls = true", twice)
    assert (verdict.outcome, len(verdict.seqs)) == ("fail", 3)
    other = tape(with_message(conversation(), done, **called("call_z", '{"city": "Gdańsk"}')))
    assert judge("no_duplicate_calls = true", other).outcome == "pass"


def test_every_kind_is_tested() -> None:
    tested = {text.split(" ", 1)[0] for text in PASS}
    assert set(KINDS) - tested == {"metric", "yields_within_ms", "cost_usd"}
