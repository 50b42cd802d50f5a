"""A tape as lines on a clock: runs of streamed pieces made one, silences shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from recorder.events import Sender
from recorder.hearing import Frames
from recorder.providers.base import Provider
from recorder.providers.fields import text_at
from recorder.recording import Moment
from recorder.report.sound import Loudness
from recorder.report.wording import END_OF_BODY, json_object, says

GAP_NS = 1_000_000_000
"""A time without events that is worth a line."""


class Audio(NamedTuple):
    """The audio of an event or a run of events."""

    ms: float
    dbfs: float
    codec: str
    rate: int
    stream: str


class Line(NamedTuple):
    """One event, or `events` streamed ones of one kind from `at_ns` to `end_ns`."""

    seq: int
    at_ns: int
    end_ns: int
    events: int
    channel: int
    sender: Sender
    kind: str
    type: str
    text: str
    audio: Audio | None


class Gap(NamedTuple):
    """A time without events."""

    at_ns: int
    end_ns: int


_Key = tuple[int, Sender, str, str, str]


@dataclass
class _Run:
    """Events of one key, seen so far."""

    first: Moment
    count: int
    end_ns: int
    pieces: list[str]
    loudness: Loudness | None

    def line(self) -> Line:
        row = self.first.row
        audio = None
        if self.loudness:
            segment = self.first.sounds[0].segment
            audio = Audio(
                self.loudness.ms,
                self.loudness.dbfs,
                segment.codec,
                segment.rate,
                segment.stream,
            )
        return Line(
            row.seq,
            row.at_ns,
            self.end_ns,
            self.count,
            row.channel,
            row.sender,
            row.kind,
            row.type,
            "".join(self.pieces),
            audio,
        )


class Timeline:
    """Folds moments, in order, into lines.

    A run is broken off by any event that is not streamed and by a gap. With `every`, no runs are
    made. Lines come in the order of their first event.
    """

    def __init__(self, provider: Provider | None, *, every: bool = False) -> None:
        self._provider, self._every = provider, every
        self._frames = Frames()
        self._runs: dict[_Key, _Run] = {}
        self._last_ns: int | None = None

    def lines(self, moment: Moment | None) -> Iterator[Line | Gap]:
        """Take one event, or None for a pause or the end; yield the lines that it settles."""
        return self._flush() if moment is None else self._feed(moment)

    def _feed(self, moment: Moment) -> Iterator[Line | Gap]:
        row, last = moment.row, self._last_ns
        self._last_ns = row.at_ns
        if last is not None and row.at_ns - last >= GAP_NS:
            yield from self._flush()
            yield Gap(last, row.at_ns)
        text, loudness = says(moment, self._provider), self._loudness(moment)
        nested = self._nested(moment)
        if self._every or not self._streamed(moment, nested):
            yield from self._flush()
            yield _Run(moment, 1, row.at_ns, [text], loudness).line()
            return
        stream = moment.sounds[0].segment.stream if moment.sounds else ""
        key = (row.channel, row.sender, row.type or row.kind, nested, stream)
        run = self._runs.get(key)
        if run is None or (run.loudness is None) != (loudness is None):
            if run is not None:
                yield from self._flush()
            self._runs[key] = _Run(moment, 1, row.at_ns, [text], loudness)
            return
        run.count += 1
        run.end_ns = row.at_ns
        if text != END_OF_BODY:  # after what the body said it says nothing more
            run.pieces.append(text.removeprefix(nested).removeprefix(" ") if nested else text)
        if run.loudness and loudness:
            run.loudness.join(loudness)

    def _flush(self) -> Iterator[Line]:
        """The lines of all runs that are open."""
        runs, self._runs = self._runs, {}
        for run in runs.values():
            yield run.line()

    def _nested(self, moment: Moment) -> str:
        """The type of the event that an event carries, which its text begins with; "" if it
        carries none."""
        place = self._provider.RULES.nested.get(moment.row.type) if self._provider else None
        return text_at(json_object(moment.row.body), *place.split(".")) if place else ""

    def _streamed(self, moment: Moment, nested: str) -> bool:
        row = moment.row
        if row.kind == "http.chunk" or (nested or row.type).endswith(".delta"):
            return True
        return self._provider is not None and row.type in self._provider.RULES.ungated

    def _loudness(self, moment: Moment) -> Loudness | None:
        if not moment.sounds:
            return None
        found = Loudness()
        for sound in moment.sounds:
            found.add(sound, self._frames.decode(sound))
        return found


def as_json(line: Line) -> str:
    """One event as a line of JSON: at_ms since the session began, audio as duration and level."""
    audio: dict[str, Any] | None = None
    if line.audio:
        audio = {
            "duration_ms": round(line.audio.ms, 3),
            "level_dbfs": round(line.audio.dbfs, 1),
            "codec": line.audio.codec,
            "rate": line.audio.rate,
            "stream": line.audio.stream,
        }
    return json.dumps(
        {
            "seq": line.seq,
            "at_ms": round(line.at_ns / 1e6, 3),
            "channel": line.channel,
            "sender": line.sender,
            "kind": line.kind,
            "type": line.type,
            "text": line.text,
            "audio": audio,
        }
    )
