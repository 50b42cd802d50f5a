"""A session's turns for people and for machines: what was said, how long it took, what it cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from recorder.projections.marks import CostRow, MetricRow
from recorder.projections.rows import InterruptionRow, ToolCallRow, TurnRow
from recorder.report.text import Paint
from recorder.report.wording import clip, printable

_PARTS = ("eos_delay_ms", "event_ms", "lead_silence_ms")
_NAMES = ("endpoint", "think", "lead")
_LABEL = 7


class Turn(NamedTuple):
    """A turn and what belongs to it. `values`: the measured ones, by metric; of several (tools,
    interruptions) the first."""

    row: TurnRow
    values: Mapping[str, float]
    calls: Sequence[ToolCallRow]
    cuts: Sequence[InterruptionRow]
    lines: Sequence[CostRow]

    @property
    def usd(self) -> Decimal | None:
        """What it cost; None where a price is not known, or nothing is known to have been used."""
        return total(self.lines)


def total(lines: Sequence[CostRow]) -> Decimal | None:
    """The sum in dollars; None where a price is not known, or nothing was used."""
    known = [Decimal(line.usd) for line in lines if line.usd is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(lines) else None


def turns(tables: Mapping[str, Sequence[Any]]) -> list[Turn]:
    """The turns of a session, from its read models by table."""
    values: dict[int | None, dict[str, float]] = {}
    metric: MetricRow
    for metric in tables["metric"]:
        values.setdefault(metric.turn, {}).setdefault(metric.metric, metric.value)
    return [
        Turn(
            row,
            values.get(row.turn, {}),
            [each for each in tables["tool_call"] if each.turn == row.turn],
            [each for each in tables["interruption"] if each.turn == row.turn],
            [each for each in tables["cost_line"] if each.turn == row.turn],
        )
        for row in tables["turn"]
    ]


def places(row: TurnRow, values: Mapping[str, float]) -> dict[str, float | None]:
    """Where the sounds of a turn lie on its session's clock, in ms: `begin_ms` the user's first,
    `off_ms` the user's last, `on_ms` the agent's first. They are reckoned from measured values."""
    begin = off = on = None
    if row.user_started_ns is not None and "onset_delay_ms" in values:
        begin = row.user_started_ns / 1e6 - values["onset_delay_ms"]
    if row.user_stopped_ns is not None and "eos_delay_ms" in values:
        off = row.user_stopped_ns / 1e6 - values["eos_delay_ms"]
    if row.first_audio_ns is not None and "lead_silence_ms" in values:
        on = row.first_audio_ns / 1e6 + values["lead_silence_ms"]
    found = {"begin_ms": begin, "off_ms": off, "on_ms": on}
    return {name: None if ms is None else round(ms, 3) for name, ms in found.items()}


def as_json(turn: Turn) -> str:
    """One turn as a line of JSON: times in ms since the session began, `values` by metric, `usd` as
    a decimal number in text."""
    row = turn.row
    facts = {
        "turn": row.turn,
        "origin": row.origin,
        "user": row.user_text,
        "agent": row.agent_text,
        "interrupted": bool(row.was_interrupted),
        "user_stopped_ms": _ms(row.user_stopped_ns),
        "first_audio_ms": _ms(row.first_audio_ns),
        "ended_ms": _ms(row.ended_ns),
        "calls": [
            {"name": call.name, "arguments": call.arguments, "output": call.output}
            for call in turn.calls
        ],
        "values": dict(turn.values),
        "usd": None if turn.usd is None else f"{turn.usd:f}",
        "first_seq": row.first_seq,
        "last_seq": row.last_seq,
    }
    return json.dumps(facts)


def _ms(ns: int | None) -> float | None:
    return None if ns is None else round(ns / 1e6, 3)


def block(turn: Turn, paint: Paint, width: int | None) -> Iterator[str]:
    """A turn as some lines of at most `width`."""
    row = turn.row
    tail = f"{row.origin}, events {row.first_seq} to {row.last_seq}"
    yield paint(f"turn {row.turn}", bold=True) + paint(f"  {tail}", dim=True)
    if row.user_text:
        yield _said("user", row.user_text, paint, "cyan", width)
    for call in turn.calls:
        yield _said("tool", _told(call, turn), paint, "red" if call.failed else "yellow", width)
    if row.agent_text:
        yield _said("agent", row.agent_text, paint, "green", width)
    for cut in turn.cuts:
        yield _said("cut", _heard(cut, turn.values), paint, "red", width)
    took = latencies(turn.values) or ["latency: no data"]
    yield _said("took", ", ".join([*took, _cost(turn)]), paint, None, width)


def _said(label: str, text: str, paint: Paint, colour: str | None, width: int | None) -> str:
    line = printable(text)
    cut = line if width is None else clip(line, width - _LABEL - 2)
    return "  " + paint(label.ljust(_LABEL), fg=colour) + cut


def _told(call: ToolCallRow, turn: Turn) -> str:
    asked = f"{call.name}({call.arguments})"
    if call.answered_ns is None:
        return f"{asked}, no result"
    ms = (call.answered_ns - call.called_ns) / 1e6
    how = "failed" if call.failed else "gave"
    return f"{asked} {how} {call.output} after {ms:.0f} ms"


def _heard(cut: InterruptionRow, values: Mapping[str, float]) -> str:
    heard = "" if cut.heard_ms is None else f" after {cut.heard_ms:.0f} ms"
    text = f"by the {cut.by}{heard}, of {cut.generated_ms:.0f} ms of sound"
    return text + (f"; yielded in {values['yield_ms']:.0f} ms" if "yield_ms" in values else "")


def _cost(turn: Turn) -> str:
    if not turn.lines:
        return "cost: no data"
    return "unpriced" if turn.usd is None else f"${turn.usd:.4f}"


def latencies(values: Mapping[str, float]) -> list[str]:
    """What is known of how long the user waited: voice to voice with its parts, and by events."""
    if "v2v_ms" in values:
        parts = [values.get(name) for name in _PARTS]
        total = f"voice to voice {values['v2v_ms']:.0f} ms"
        known = [part for part in parts if part is not None]
        if len(known) == len(parts) and abs(sum(known) - values["v2v_ms"]) < 1:
            named = zip(_NAMES, known, strict=True)
            total += " = " + " + ".join(f"{name} {part:.0f}" for name, part in named)
        return [total, *_events(values)]
    return _events(values)


def _events(values: Mapping[str, float]) -> list[str]:
    named = (("event_ms", "by events"), ("event_asked_ms", "first sound after asking"))
    found = [f"{words} {values[name]:.0f} ms" for name, words in named if name in values]
    if not found and "first_token_ms" in values:
        return [f"first words {values['first_token_ms']:.0f} ms"]
    return found[:1]


class Mark(NamedTuple):
    """Something to be said of the time line, at `at_ns`."""

    at_ns: int
    text: str


def marks(found: Sequence[Turn]) -> list[Mark]:
    """Where each turn was answered, and how long it had taken; in order."""
    at = []
    for turn in found:
        when, took = turn.row.first_audio_ns or turn.row.first_text_ns, latencies(turn.values)
        if when is not None and took:
            at.append(Mark(when, f"turn {turn.row.turn}: {', '.join(took)}"))
    return sorted(at)
