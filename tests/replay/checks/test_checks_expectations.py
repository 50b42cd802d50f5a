"""What a scenario expects, judged over the turns that it became on a tape."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from checking import CUT, TAPE

from recorder.trial.scenario import Scenario, read_scenario
from replay.checks import CheckFileError, run
from replay.checks.expectations import Mark, expectations, heard

TEXT = """\
schema = 1
id = "small"
title = "A small one"
[agent]
instructions = "Answer."
[[turn]]
say = "Hello?"
expect = [EXPECT]
"""


class Row(NamedTuple):
    """The part of a turn that counts here."""

    turn: int
    origin: str
    first_seq: int


ROWS = [
    Row(1, "agent", 5),
    Row(2, "speech", 20),
    Row(3, "speech", 30),
    Row(4, "speech", 60),
]


def scenario(expect: str, more: str = "") -> Scenario:
    return read_scenario(TEXT.replace("EXPECT", expect) + more, "small.toml")


def outcomes(made: Scenario, turns: dict[int, list[int]], on: object = TAPE) -> list[str]:
    return [each.verdict.outcome for each in run(expectations(made, turns), on)]  # type: ignore[arg-type]


def test_turns_are_those_that_began_after_the_caller_came_to_one() -> None:
    begins = [10, 40, 50, 70]
    marks = [Mark(number, seq, "respond") for number, seq in enumerate(begins, 1)]
    found = heard(marks, ROWS)  # type: ignore[arg-type]
    assert found == {1: [2, 3], 2: [], 3: [4], 4: []}
    assert heard([], ROWS) == {}  # type: ignore[arg-type]


def test_what_was_to_be_ignored_may_have_begun_the_next_turn() -> None:
    marks = [Mark(1, 10, "respond"), Mark(2, 28, "ignore"), Mark(3, 35, "respond")]
    assert heard(marks, ROWS) == {1: [2], 2: [3], 3: [3, 4]}  # type: ignore[arg-type]


def test_an_expectation_holds_if_it_holds_in_one_of_its_turns() -> None:
    text = TAPE.models.turns[0].agent_text.split()[0]
    made = scenario(f'{{ says = {{ contains = "{text}" }} }}')
    last = TAPE.last_turn
    assert outcomes(made, {1: [1]}) == ["pass"]
    assert outcomes(made, {1: [last, 1]}) == ["pass"]
    assert outcomes(made, {1: [last + 5]}) == ["fail"]


def test_a_turn_that_nobody_heard_shows_nothing() -> None:
    assert outcomes(scenario('{ calls = "book_table" }'), {}) == ["inconclusive"]
    assert outcomes(scenario('{ never_calls = "book_table" }'), {}) == ["pass"]


def test_an_interruption_belongs_to_the_turn_whose_answer_it_cut() -> None:
    cut = CUT.models.interruptions[0].turn
    made = scenario("{ yields_within_ms = 60000 }")
    assert outcomes(made, {1: [cut + 1]}, CUT) == ["pass"]
    assert outcomes(made, {1: [cut + 2]}, CUT) == ["inconclusive"]


def test_limits_of_the_budget_are_expectations_too() -> None:
    limits = "[budget]\nv2v_p90_ms = 3000\ncost_per_min_usd = 0.2\nmax_cost_usd = 0.5"
    found = expectations(scenario("", limits), {})
    assert [each.name for each in found] == [
        "budget: v2v_p90_ms 3000",
        "budget: cost_per_min_usd 0.2",
        "budget: max_cost_usd 0.5",
    ]
    assert [each.kind for each in found] == ["metric", "metric", "cost_usd"]


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ('{ cals = "x" }', "small, turn 1, expect 1 has no kind"),
        ('{ calls = "x", arg = 1 }', "unknown key 'arg'"),
        ('{ calls = "x", turn = 2 }', "leave out turn; it is that of the scenario"),
    ],
)
def test_an_expectation_that_cannot_be_is_named(expect: str, told: str) -> None:
    with pytest.raises(CheckFileError) as refused:
        expectations(scenario(expect), {})
    assert told in str(refused.value)
