"""A timeline as text for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from recorder.audio.pcm import FLOOR_DBFS
from recorder.audio.sizes import duration_ms
from recorder.counting import counted
from recorder.recording import Recording
from recorder.report.timeline import Gap, Line
from recorder.report.wording import clip, printable, seconds, utc
from recorder.store.base import SessionRow

_ARROWS = {"client": "→", "provider": "←", "recorder": "•"}
_COLOURS = {"client": "cyan", "provider": "green", "recorder": "yellow"}
_OFFSET = 9
_TYPE = 36  # columns for an event's type
_NARROW = 110  # on a terminal narrower than this it gets fewer


class Paint(Protocol):
    """Colours text, or not."""

    def __call__(self, text: str, **style: Any) -> str: ...


def plain(text: str, **style: Any) -> str:
    """No colours."""
    return text


def header(tape: Recording, row: SessionRow) -> Iterator[str]:
    """What a session is, and how much of it there is. `row` as a reader should see it."""
    facts = (row.provider, row.model or "", row.status, row.origin)
    yield f"session {row.id}  " + ", ".join(printable(fact) for fact in facts if fact)
    lasted = "" if row.ended_ns is None else f", {seconds(row.ended_ns)}"
    events = counted(row.events or 0, "event")
    yield f"  trial {printable(row.trial)}, began {utc(row.wall_ns)}{lasted}, {events}"
    if row.external_id:
        yield f"  known to the provider as {printable(row.external_id)}"
    if row.parent:
        yield f"  a replay of {row.parent}"
    for channel in tape.channels():
        yield f"  channel {channel.channel}: {channel.kind} {printable(channel.target)}".rstrip()
    audio = _totals(tape)
    if audio:
        yield "  audio: " + ", ".join(f"{who} {ms / 1000:.1f} s" for who, ms in audio.items())
    if row.digest:
        yield f"  digest {row.digest.hex()}"


def _totals(tape: Recording) -> dict[str, float]:
    """Milliseconds of audio by sender."""
    sizes = tape.audio_sizes()
    totals: dict[str, float] = {}
    for segment in tape.segments():
        size = sizes.get(segment.number, 0)
        ms = duration_ms(size, segment.codec, segment.rate, segment.channels)
        totals[segment.sender] = totals.get(segment.sender, 0.0) + ms
    return totals


def writer(paint: Paint, width: int | None, *, channels: bool) -> Callable[[Line | Gap], str]:
    """How to write a line: cut to `width`, with the number of its channel if there are several."""

    room = _TYPE if width is None or width >= _NARROW else _TYPE * 2 // 3

    def write(line: Line | Gap) -> str:
        if isinstance(line, Gap):
            lasted = f"{(line.end_ns - line.at_ns) / 1e9:.1f} s"
            return paint(" " * (_OFFSET + 2) + f"─── {lasted} ───", dim=True)
        where = f"{line.channel:>2} " if channels else ""
        offset = f"{line.at_ns / 1e9:>{_OFFSET}.3f}"
        name = printable(line.type or line.kind)
        head = f"{where}{line.sender:<8} {_ARROWS[line.sender]} {name:<{room}}"
        text = f"{offset}  {head}  {_says(line)}".rstrip()
        cut = text if width is None else clip(text, width)
        start, body = cut[: _OFFSET + 2], cut[_OFFSET + 2 : _OFFSET + 2 + len(head)]
        colour = "red" if _alarming(line) else _COLOURS[line.sender]
        return paint(start, dim=True) + paint(body, fg=colour) + cut[_OFFSET + 2 + len(head) :]

    return write


def marked(text: str, paint: Paint, width: int | None) -> str:
    """A line that is not an event's: what is known of the time line at this place."""
    line = " " * _OFFSET + f"  ▸ {text}"
    return paint(line if width is None else clip(line, width), fg="magenta")


def _says(line: Line) -> str:
    parts = []
    if line.events > 1:
        parts.append(f"×{line.events}")
    if line.audio:
        silent = line.audio.dbfs <= FLOOR_DBFS
        level = "of silence" if silent else f"at {line.audio.dbfs:.0f} dBFS"
        parts.append(f"{_lasting(line.audio.ms)} {level}")
    if line.text:
        parts.append(printable(line.text))
    return "  ".join(parts)


def _lasting(ms: float) -> str:
    return f"{ms / 1000:.2f} s" if ms >= 1000 else f"{ms:.0f} ms"


def _alarming(line: Line) -> bool:
    return line.type in ("error", "hole") or line.type.endswith(".failed")
