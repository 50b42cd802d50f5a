"""Checks of time: latencies between moments of a turn, measured values, and the whole length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import ceil
from typing import NamedTuple

from recorder.metrics.catalogue import CATALOGUE, about
from recorder.projections.rows import TurnRow
from replay.checks.outcomes import Check, Verdict, failed, in_turn, inconclusive, judged
from replay.checks.table import Limits, Table
from replay.checks.tape import Tape

_MS = 1e6
_TIMES = ("ms", "s")
_STARTS: Mapping[str, str] = {
    "user_stopped": "user_stopped_ns",
    "committed": "committed_ns",
    "asked": "asked_ns",
    "response": "response_ns",
}
_ENDS: Mapping[str, str] = {
    "first_audio": "first_audio_ns",
    "first_text": "first_text_ns",
    "response": "response_ns",
    "ended": "ended_ns",
}


_BY_SOUND = '; `metric = "v2v_ms"` is measured by sound, without them'


class Sample(NamedTuple):
    """A measured value, its turn (None: the session), and the events it rests on."""

    value: float
    turn: int | None
    seqs: tuple[int, ...]


class _Statistics(NamedTuple):
    """What of several values is limited: the percentiles by nearest rank, and each (`each`)."""

    p50: float | None
    p90: float | None
    each: Limits | None


def _statistics(table: Table) -> _Statistics:
    p50, p90 = table.maybe_number("p50"), table.maybe_number("p90")
    if table.has("min") or table.has("max"):
        return _Statistics(p50, p90, table.bounds())
    if p50 is None and p90 is None:
        table.refuse("give at least one of min, max, p50, p90")
    return _Statistics(p50, p90, None)


def _judge(name: str, unit: str, samples: Sequence[Sample], wanted: _Statistics) -> Verdict:
    """Judge by the limit that is missed the most clearly, else by the highest value."""
    ordered = sorted(samples, key=lambda each: each.value)
    for share, most in ((50, wanted.p50), (90, wanted.p90)):
        value = ordered[ceil(len(ordered) * share / 100) - 1].value
        if most is not None and value > most:
            reason = f"{name} p{share} is {value:.0f} {unit} of {len(ordered)}, allowed {most:g}"
            return failed(reason, ordered[-1].seqs)
    limits = wanted.each
    wrong = [each for each in ordered if limits is not None and not limits.take(each.value)]
    if wrong:
        worst = wrong[-1]
        reason = f"{name} is {worst.value:g} {unit}{in_turn(worst.turn)}, wanted {limits}"
        return failed(reason, [seq for each in reversed(wrong) for seq in each.seqs])
    low, high = ordered[0].value, ordered[-1].value
    spread = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    reason = f"{name} is {spread} {unit}, {len(ordered)} measured"
    return judged(True, reason, [seq for each in reversed(ordered) for seq in each.seqs])


def latency_ms(table: Table) -> Check:
    """The time between two moments of each turn, as the recorder saw them."""
    inner = table.inner("latency_ms")
    wanted = _statistics(inner)
    inner.done()
    start = table.choice("from", tuple(_STARTS), "user_stopped")
    end, turn = table.choice("to", tuple(_ENDS), "first_audio"), table.whole("turn")
    table.done()

    def check(tape: Tape) -> Verdict:
        if tape.untimed:
            return inconclusive(tape.untimed)
        rows = [row for row in tape.models.turns if turn in (None, row.turn)]
        samples = [found for row in rows if (found := _between(row, _STARTS[start], _ENDS[end]))]
        if not samples:
            where = f"turn {turn}" if turn is not None else "no turn"
            missing = "lacks" if turn is not None else "has"
            return inconclusive(f"{where} {missing} both {start} and {end}{_BY_SOUND}")
        return _judge(f"{start} to {end}", "ms", samples, wanted)

    return check


def _between(row: TurnRow, start: str, end: str) -> Sample | None:
    begun, done = getattr(row, start), getattr(row, end)
    if begun is None or done is None:
        return None
    return Sample(round((done - begun) / _MS, 3), row.turn, (row.first_seq, row.last_seq))


def is_metric(name: str) -> bool:
    """Whether a name is in the catalogue."""
    try:
        about(name)
    except KeyError:
        return False
    return True


def metric(table: Table) -> Check:
    """A measured value by its name, of docs/metrics.md."""
    name, wanted = table.text("metric"), _statistics(table)
    if not is_metric(name):
        near = get_close_matches(name, CATALOGUE, 3) or ["docs/metrics.md has all"]
        table.refuse(f"there is no metric {name!r}; near are {', '.join(near)}")
    turn = table.whole("turn")
    table.done()

    def check(tape: Tape) -> Verdict:
        rows = [row for row in tape.metrics.get(name, ()) if turn in (None, row.turn)]
        if not rows:
            where = f" of turn {turn}" if turn is not None else ""
            return inconclusive(f"the tape has no {name}{where}")
        if tape.untimed and rows[0].unit in _TIMES:
            return inconclusive(tape.untimed)
        samples = [Sample(row.value, row.turn, (row.first_seq, row.last_seq)) for row in rows]
        return _judge(name, rows[0].unit, samples, wanted)

    return check


def duration_s(table: Table) -> Check:
    """The length of the tape, from its start to its last event."""
    limits = table.limits("duration_s")
    table.done()

    def check(tape: Tape) -> Verdict:
        if tape.untimed:
            return inconclusive(tape.untimed)
        seconds = round(tape.end_ns / 1e9, 3)
        last = [tape.events[-1].seq] if tape.events else []
        return judged(limits.take(seconds), f"it lasts {seconds:g} s, wanted {limits}", last)

    return check
