"""Tool doubles answer by the first that fits, when they are due."""

from __future__ import annotations

import json

from recorder.trial.doubles import Doubles
from recorder.trial.scenario import Double

MS = 1_000_000


def test_the_first_double_that_fits_answers_after_its_delay() -> None:
    doubles = Doubles(
        [Double("book", {"day": "Monday"}, 400, {"code": "R-1"}), Double("*", error="closed")]
    )
    monday = doubles.call("a", "book", {"day": "Monday", "name": "Li"}, 1000 * MS)
    assert (monday.answered_ns, json.loads(monday.output)) == (1400 * MS, {"code": "R-1"})
    sunday = doubles.call("b", "book", {"day": "Sunday"}, 2000 * MS)
    assert json.loads(sunday.output) == {"error": "closed"}
    assert doubles.call("c", "cancel", {}, 2000 * MS).error == "closed"


def test_a_double_that_has_answered_often_enough_makes_way() -> None:
    doubles = Doubles([Double("book", error="down", times=1), Double("book", result="done")])
    outputs = [doubles.call(name, "book", {}, 0).output for name in "ab"]
    assert outputs == ['{"error": "down"}', "done"]


def test_the_same_call_told_twice_is_one_call() -> None:
    doubles = Doubles([Double("book", error="down", times=1), Double("book", result="done")])
    first = doubles.call("a", "book", {}, 0)
    assert doubles.call("a", "book", {}, 5) is first
    assert len(doubles.made) == 1


def test_what_is_awaited_ends_with_its_answer_and_a_dropped_call_is_not_awaited() -> None:
    doubles = Doubles([Double("slow", delay_ms=500, result=1), Double("gone", drop=True)])
    doubles.call("a", "gone", {}, 0)
    assert not doubles.is_awaited(0)
    doubles.call("b", "slow", {}, 0)
    assert doubles.is_awaited(499 * MS)
    assert not doubles.is_awaited(500 * MS)
    assert doubles.last_answer(499 * MS) is None
    assert doubles.last_answer(500 * MS) == 500 * MS
    assert doubles.called("slow", 1) is None
    assert doubles.called("slow", 0) == 0


def test_a_call_that_no_double_fits_fails_and_says_so() -> None:
    made = Doubles([]).call("a", "book", {}, 0)
    assert made.error == "no double answers book with these arguments"
    assert made.status == 200


def test_a_status_is_an_error_of_http() -> None:
    made = Doubles([Double("book", status=503)]).call("a", "book", {}, 0)
    assert (made.status, json.loads(made.output)) == (503, {"error": "status 503"})
