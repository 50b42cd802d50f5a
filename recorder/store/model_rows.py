"""What the rows of the read models are, and which of their columns tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from recorder.projections import marks, rows

ROWS: Final[Mapping[str, Any]] = {
    "outline": rows.OutlineRow,
    "turn": rows.TurnRow,
    "response": rows.ResponseRow,
    "item": rows.ItemRow,
    "tool_call": rows.ToolCallRow,
    "transcript": rows.TranscriptRow,
    "interruption": rows.InterruptionRow,
    "error": rows.ErrorRow,
    "vendor_latency": rows.VendorRow,
    "unknown": rows.UnknownRow,
    "usage": rows.UsageRow,
    "cost_line": marks.CostRow,
    "metric": marks.MetricRow,
    "mark": marks.MarkRow,
}
"""Table -> type of its rows, whose fields are its columns."""

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "outline": ("session",),
    "turn": ("session", "turn"),
    "unknown": ("session", "type"),
    "mark": ("session",),
}


def columns(table: str) -> tuple[str, ...]:
    """The names of a table's columns: `class_` is `class` in it."""
    return tuple(field.rstrip("_") for field in ROWS[table]._fields)


def key(table: str) -> tuple[str, ...]:
    """Those that tell its rows apart, in which order they are read."""
    return _KEYS.get(table, ("session", "ordinal"))
