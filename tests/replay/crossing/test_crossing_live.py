"""A tape held anew with GPT-Live, and a tape of GPT-Live with the others, on virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import pytest
from crossing_tapes import SCENARIO, hold

from recorder.capture.secrets import store_secrets
from recorder.pricing import PriceBook
from recorder.store import open_store
from recorder.store.base import Store
from replay.crossing.result import Result, facts, judge
from replay.crossing.running import Crossing, Limits
from replay.crossing.script import Script, write_script
from replay.crossing.taped import TapedCall, read_tape
from replay.crossing.views import noted_starts, tell

WAYS = [
    ("openai", "openai-live"),
    ("vapi", "openai-live"),
    ("openai-live", "openai"),
    ("openai-live", "vapi"),
]
SAID = ("I have booked a table for you on Monday, and I wish you a good time.", "Yes.")
WAIT = "Wait a moment, please."  # a shorter one is an aside, over which the voice goes on
_FIRST, _SECOND = SCENARIO.turns
LONGER = replace(SCENARIO, turns=(_FIRST, replace(_SECOND, say=WAIT)))


class Crossed(NamedTuple):
    """A tape, and what became of it elsewhere."""

    tape: TapedCall
    script: Script
    result: Result


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with closing(open_store("memory:", create=True)) as opened:
        yield opened


@pytest.fixture(scope="module")
def crossed(store: Store) -> dict[tuple[str, str], Crossed]:
    """A conversation of each provider, at those that it can go to."""
    tapes = {name: read_tape(store, hold(store, name, LONGER)) for name, _ in WAYS}
    return {(name, other): _cross(store, tapes[name], other) for name, other in WAYS}


def _cross(store: Store, tape: TapedCall, other: str) -> Crossed:
    script = write_script(tape, other, 60.0, PriceBook.shipped())
    script = script._replace(words=script.words._replace(replies=SAID))
    ran = Crossing(tape, script, store, store_secrets(store, {})).here(1, Limits(60.0, None, {}))
    new = store.session(ran.session)
    assert new is not None
    now = tell(store, new, noted_starts(store, new.id))
    return Crossed(tape, script, judge(tape, tell(store, tape.row, tape.starts_ns), now, ran))


@pytest.mark.parametrize("way", WAYS)
def test_the_conversation_goes_to_its_end_with_its_tool_answered(
    crossed: dict[tuple[str, str], Crossed], way: tuple[str, str]
) -> None:
    result = crossed[way].result
    assert (result.outcome, result.reason, result.given, result.notes) == ("pass", "", 2, ())
    for told in (result.before, result.now):
        (called,) = told.views[1].calls
        assert called.name == "book_table"
        assert called.output == '{"ok": true, "code": "R-17"}'
    assert (result.before.row.provider, result.now.row.provider) == way
    assert result.now.row.status == "complete"
    assert result.now.usd


@pytest.mark.parametrize("way", WAYS)
def test_the_interruption_stands_at_the_turn_that_made_it(
    crossed: dict[tuple[str, str], Crossed], way: tuple[str, str]
) -> None:
    result = crossed[way].result
    for told in (result.before, result.now):
        assert [view.cut is not None for view in told.views] == [False, False, True]
        assert [view.heard for view in told.views[1:]] == ["Book a table on Monday.", WAIT]


def test_what_the_wire_does_not_tell_is_not_told(
    crossed: dict[tuple[str, str], Crossed],
) -> None:
    told = facts(crossed["openai-live", "openai"].result, ())
    both = told["turns"][2]
    assert both["tape"]["interrupted"] is True
    assert both["tape"]["interrupted_after_ms"] is None
    assert both["here"]["interrupted_after_ms"] > 0


def test_the_expected_bill_goes_by_the_second(crossed: dict[tuple[str, str], Crossed]) -> None:
    tape, script, _ = crossed["openai", "openai-live"]
    (line,) = script.bill.lines
    assert (line.component, line.meter, line.unit) == ("session", "active", "second")
    assert float(line.quantity) == pytest.approx(tape.length_s, abs=0.001)


def test_what_is_not_carried_over_is_listed(crossed: dict[tuple[str, str], Crossed]) -> None:
    assert crossed["openai-live", "vapi"].script.lost == (
        "model gpt-live-1: vapi runs openai/gpt-4.1",
        "model gpt-4.1 behind the voice",
    )
    assert crossed["vapi", "openai-live"].script.lost[-1] == (
        "voice vapi Elliot: GPT-Live has its own"
    )
