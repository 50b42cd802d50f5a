"""A tape held anew with another provider, both ways: on virtual time, and over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest
from crossing_tapes import SHORT, hold

from recorder.audio.pcm import resample, samples
from recorder.capture.secrets import store_secrets
from recorder.clock import SystemClock
from recorder.derive import seen
from recorder.errors import RecorderError
from recorder.hearing import Sorter
from recorder.pricing import PriceBook
from recorder.projections import project
from recorder.providers import provider
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from replay.crossing.result import Result, facts, judge
from replay.crossing.running import Crossing, Limits, Place, Ran
from replay.crossing.script import Script, write_script
from replay.crossing.sides import side
from replay.crossing.taped import TapedCall, read_tape
from replay.crossing.text import lines, verdict
from replay.crossing.views import noted_starts, tell
from replay.server import MachineServer

OTHER = {"openai": "vapi", "vapi": "openai"}
LIMITS = Limits(60.0, None, {})
SAID = ("I have booked a table for you on Monday, and I wish you a good time.", "Yes.")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with closing(open_store("memory:", create=True)) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(store: Store) -> dict[str, SessionRow]:
    """A tape of each provider."""
    return {name: hold(store, name) for name in OTHER}


class Crossed(NamedTuple):
    """A tape, and what became of it elsewhere."""

    tape: TapedCall
    script: Script
    result: Result


def cross(store: Store, row: SessionRow, limits: Limits = LIMITS, **words: Any) -> Crossed:
    """One run against the simulator of the other provider."""
    tape = read_tape(store, row)
    script = write_script(tape, OTHER[row.provider], 60.0, PriceBook.shipped())
    script = script._replace(words=script.words._replace(**words))
    ran = Crossing(tape, script, store, store_secrets(store, {})).here(1, limits)
    new = store.session(ran.session)
    assert new is not None
    now = tell(store, new, noted_starts(store, new.id))
    return Crossed(tape, script, judge(tape, tell(store, row, tape.starts_ns), now, ran))


@pytest.fixture(scope="module")
def crossed(store: Store, rows: dict[str, SessionRow]) -> dict[str, Crossed]:
    """Both tapes, each at the other provider, whose agent says as much as on the scenario's."""
    return {name: cross(store, row, replies=SAID) for name, row in rows.items()}


@pytest.mark.parametrize("name", OTHER)
def test_the_conversation_goes_to_its_end_with_its_tool_answered(
    crossed: dict[str, Crossed], name: str
) -> None:
    result = crossed[name].result
    assert (result.outcome, result.reason, result.given) == ("pass", "", 2)
    for told in (result.before, result.now):
        (called,) = told.views[1].calls
        assert (called.name, called.arguments.replace(" ", "")) == (
            "book_table",
            '{"day":"Monday"}',
        )
        assert called.output == '{"ok": true, "code": "R-17"}'
        assert called.ms == pytest.approx(430, abs=30)
    assert result.now.row.parent == result.before.row.id
    assert (result.now.row.origin, result.now.row.status) == ("replay", "complete")


@pytest.mark.parametrize("name", OTHER)
def test_the_caller_interrupts_at_the_same_offset(crossed: dict[str, Crossed], name: str) -> None:
    views = crossed[name].result.now.views
    assert [view.cut is not None for view in views] == [False, False, True]
    assert [view.heard for view in views[1:]] == ["Book a table on Monday.", "Wait, please."]
    at = crossed[name].tape.turns[1].said.at
    assert (at.after, at.delay_ms) == ("agent_speech_start", pytest.approx(2500, abs=60))


@pytest.mark.parametrize("name", OTHER)
def test_the_caller_sounds_the_same(store: Store, crossed: dict[str, Crossed], name: str) -> None:
    there = crossed[name].result.now.row
    sorter = Sorter(provider(there.provider).listener())
    for moment in Recording(store, there.id).moments():
        sorter.take(moment)
    pieces = sorter.lanes.captured
    sent = np.concatenate([piece.samples for piece in pieces])
    for turn in crossed[name].tape.turns:
        spoken = resample(samples(turn.pcm), 24_000, pieces[0].rate)
        first = np.flatnonzero(spoken)[0]
        known = spoken[first : first + 400].tobytes()
        at = sent.tobytes().find(known) // 2 - first
        assert np.array_equal(sent[at : at + spoken.size], spoken)


@pytest.mark.parametrize("name", OTHER)
def test_both_bills_are_told(crossed: dict[str, Crossed], name: str) -> None:
    result = crossed[name].result
    for told in (result.before, result.now):
        assert told.usd is not None
        assert told.usd == sum((part.usd or Decimal(0) for part in told.bill), Decimal(0)) > 0
        assert {"model", "transcriber"} <= {part.component for part in told.bill}
    assert crossed[name].script.bill.usd


def test_what_is_not_carried_over_is_listed(crossed: dict[str, Crossed]) -> None:
    assert crossed["vapi"].script.lost == (
        "model gpt-4.1: openai runs gpt-realtime",
        "backgroundSound: a setting of Vapi's assistants",
        "maxDurationSeconds: a setting of Vapi's assistants",
        "voice vapi Elliot: OpenAI has its own",
    )
    assert crossed["openai"].script.lost[0] == "model gpt-realtime: vapi runs openai/gpt-4.1"


def test_it_reads_turn_by_turn(crossed: dict[str, Crossed]) -> None:
    told = list(lines(crossed["vapi"].result, 80))
    assert max(map(len, told)) <= 80
    assert told[0].startswith("SIMULATED: the tape and this conversation. What follows")
    assert "turn 2: the caller speaks for 0.8 s, 2550 ms into what the agent says" in told
    assert "  heard as     vapi    Book a table on Monday." in told
    assert any("book_table(day='Monday') gave" in line for line in told)
    assert [line.split()[:3] for line in told if "in all" in line] == [
        ["vapi", "in", "all"],
        ["openai", "in", "all"],
    ]
    assert verdict(crossed["vapi"].result).startswith("PASS turns=2/2 tools=1 cost=$0.0")


def test_machines_get_both_tapes(crossed: dict[str, Crossed]) -> None:
    told = facts(crossed["openai"].result, crossed["openai"].script.lost)
    assert [each["turn"] for each in told["turns"]] == [0, 1, 2]
    both = told["turns"][2]
    assert [both[name]["interrupted"] for name in ("tape", "here")] == [True, True]
    assert both["tape"]["interrupted_after_ms"] == pytest.approx(2550, abs=80)
    assert (told["tape"]["provider"], told["here"]["provider"]) == ("openai", "vapi")
    assert told["here"]["simulated"] is True


def test_what_goes_otherwise_is_told(store: Store, rows: dict[str, SessionRow]) -> None:
    result = cross(
        store, rows["vapi"], transcripts=("Good morning.", "Bye."), replies=("Hi.", "Bye.")
    ).result
    assert result.outcome == "pass"
    told = [(each.turn, each.kind, each.text) for each in result.differences]
    assert (1, "tool", "book_table was not called") in told
    assert (2, "interruption", "no interruption came") in told
    assert (2, "heard", "the caller was heard as 'Bye.', on the tape as 'Wait, please.'") in told


def test_a_limit_makes_a_run_inconclusive(store: Store, rows: dict[str, SessionRow]) -> None:
    result = cross(store, rows["vapi"], Limits(3.0, None, {})).result
    assert (result.outcome, result.reason) == ("inconclusive", "it took longer than 3 s")
    assert (2, "trigger") in [(each.turn, each.kind) for each in result.differences]


def test_a_cap_ends_a_run_where_the_cost_is_told(store: Store, rows: dict[str, SessionRow]) -> None:
    result = cross(store, rows["vapi"], Limits(60.0, Decimal("0.0001"), {})).result
    assert (result.outcome, result.reason) == ("inconclusive", "more than $0.0001 is spent")


def test_the_parts_of_a_session_without_a_caller_are_refused(store: Store) -> None:
    silent = read_silent(store)
    with pytest.raises(RecorderError, match="nothing that the caller said is on it"):
        read_tape(store, silent)


def read_silent(store: Store) -> SessionRow:
    """A session in which nothing was said."""
    from recorder.capture.writer import Writer

    writer = Writer(store, SystemClock(), store_secrets(store, {}))
    writer.start()
    tape = writer.open("openai", "calls")
    channel = tape.channel("ws", "/v1/realtime")
    tape.record(channel, "provider", "ws.text", "", b'{"type":"session.created","session":{}}')
    writer.close()
    row = store.session(tape.session)
    assert row is not None
    return row


def test_a_signal_ends_a_run_that_nobody_is_to_blame_for(
    store: Store, rows: dict[str, SessionRow]
) -> None:
    tape = read_tape(store, rows["vapi"])
    script = write_script(tape, "openai", 60.0, PriceBook.shipped())
    ran = asyncio.run(_over_sockets(store, tape, script, stop_s=0.3))
    assert (ran.failed, ran.is_fault) == ("it was stopped by a signal", False)
    row = store.session(ran.session)
    assert row is not None
    assert row.status == "complete"


def test_over_sockets_its_webhooks_come_back_and_are_recorded(store: Store) -> None:
    row = hold(store, "openai", SHORT, ("Done.",))
    tape = read_tape(store, row)
    script = write_script(tape, "vapi", 20.0, PriceBook.shipped())
    ran = asyncio.run(_over_sockets(store, tape, script))
    assert (ran.failed, [each.number for each in ran.given]) == (None, [1])
    new = store.session(ran.session)
    assert new is not None
    models = project(new.id, seen(store, new.id), provider("vapi"))
    assert [(call.name, call.output) for call in models.tool_calls] == [("book_table", "done")]
    kinds = {channel.kind for channel in store.channels(new.id)}
    assert kinds == {"http", "ws", "webhook", "notes"}


async def _over_sockets(
    store: Store, tape: TapedCall, script: Script, stop_s: float | None = None
) -> Ran:
    """A run against a simulator behind a port, stopped after `stop_s`."""
    clock, stopped = SystemClock(), asyncio.Event()
    machine = side(script.provider).simulator(1, clock.wall_ns(), script.words)
    async with MachineServer(machine, clock, prefix=f"/{script.provider}") as server:
        place = Place(server.url, "Bearer sk-made-up")
        crossing = Crossing(tape, script, store, store_secrets(store, {}))
        if stop_s is not None:
            asyncio.get_running_loop().call_later(stop_s, stopped.set)
        return await crossing.there(place, Limits(20.0, None, {}), stopped)
