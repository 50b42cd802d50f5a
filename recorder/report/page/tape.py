"""A session's events for a page: columns of all of them, and the ones that mean something."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from recorder.audio.sizes import duration_ms
from recorder.events import Event
from recorder.hearing import Ear, Lanes, Sorter
from recorder.providers import neutral
from recorder.providers.base import Provider
from recorder.providers.neutral import HearingDecoder, Neutral
from recorder.recording import Moment, Recording
from recorder.report.wording import clip, printable, says
from recorder.store.base import EventRow

TEXT: Final = 240
"""Characters of what an event says, in the list."""
BODY: Final = 20_000
"""Characters of a body that a page shows."""


@dataclasses.dataclass
class Columns:
    """All events, a list a field; `seq` counts from `first`. `at_us` are differences; `kinds` are
    the distinct (sender, kind, type), `kind` where in it an event's is. Bodies of events that carry
    audio are not there."""

    first: int = 1
    at_us: list[int] = dataclasses.field(default_factory=list)
    kind: list[int] = dataclasses.field(default_factory=list)
    channel: list[int] = dataclasses.field(default_factory=list)
    text: list[str] = dataclasses.field(default_factory=list)
    audio_ms: list[float] = dataclasses.field(default_factory=list)
    body: dict[int, str] = dataclasses.field(default_factory=dict)
    cut: list[int] = dataclasses.field(default_factory=list)  # whose body is shown in part
    kinds: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)


class Reader:
    """Reads a tape once: `columns`, `marks` (seq, ms, name, word) and `lanes`. A mark is where its
    event is, or where a rule found later that it was."""

    def __init__(self, provider: Provider) -> None:
        self.columns = Columns()
        self.marks: list[tuple[int, float, str, str]] = []
        self._provider = provider
        self._decoder = provider.decoder()
        self._ear = Ear()
        self._sorter = Sorter(provider.listener())
        self._places: dict[tuple[str, str, str], int] = {}
        self._last_us = 0

    @property
    def lanes(self) -> Lanes:
        """The sound of what was read."""
        return self._sorter.lanes

    def read(self, tape: Recording) -> None:
        """All events of a tape."""
        last = None
        for moment in tape.moments():
            self._sorter.take(moment)
            self._column(moment)
            self._mark(moment.row, self._meant(moment))
            last = moment.row
        if last is not None and isinstance(self._decoder, HearingDecoder):
            self._mark(last, self._decoder.end())

    def _column(self, moment: Moment) -> None:
        row, columns = moment.row, self.columns
        if not columns.kind:
            columns.first = row.seq
        at_us = round(row.at_ns / 1000)
        key = (row.sender, row.kind, row.type)
        place = self._places.setdefault(key, len(self._places))
        if place == len(columns.kinds):
            columns.kinds.append(key)
        columns.at_us.append(at_us - self._last_us)
        self._last_us = at_us
        columns.kind.append(place)
        columns.channel.append(row.channel)
        columns.text.append(clip(printable(says(moment, self._provider)), TEXT))
        columns.audio_ms.append(round(sum(_sound_ms(moment)), 2))
        if row.body is not None and not moment.sounds:
            columns.body[row.seq] = row.body[:BODY]
            if len(row.body) > BODY:
                columns.cut.append(row.seq)

    def _mark(self, row: EventRow, messages: Sequence[Neutral]) -> None:
        for message in messages:
            told = _NAMES.get(type(message))
            if told is not None:
                name, field = told
                word = str(getattr(message, field) or "") if field else ""
                was_ns = getattr(message, "was_ns", None)
                at_ns = row.at_ns if was_ns is None else was_ns
                self.marks.append((row.seq, round(at_ns / 1e6, 3), name, clip(word, TEXT)))

    def _meant(self, moment: Moment) -> Sequence[Neutral]:
        """What an event means, by sound where the read models are made by it."""
        event = Event(*moment.row[:7], moment.lifted)
        if not isinstance(self._decoder, HearingDecoder):
            return self._decoder.decode(event)
        return self._decoder.hear(event, sum(_sound_ms(moment)), self._ear.levels(moment))


def _sound_ms(moment: Moment) -> list[float]:
    return [
        duration_ms(len(each.data), each.segment.codec, each.segment.rate, each.segment.channels)
        for each in moment.sounds
    ]


_NAMES: Final[Mapping[type[Any], tuple[str, str | None]]] = {
    neutral.Ready: ("ready", None),
    neutral.Configured: ("configured", "edge"),
    neutral.UserSpeech: ("user speech", "edge"),
    neutral.Committed: ("committed", None),
    neutral.Asked: ("asked", None),
    neutral.ResponseStarted: ("response", None),
    neutral.ResponseEnded: ("response done", "status"),
    neutral.ToolCalled: ("tool call", "name"),
    neutral.ToolAnswered: ("tool result", None),
    neutral.Interrupted: ("interrupted", "by"),
    neutral.HeardUntil: ("heard until", "ms"),
    neutral.Stalled: ("stall", None),
    neutral.Fault: ("error", "code"),
    neutral.Ended: ("ended", "reason"),
}
"""Which messages get a sign on the time line: its name, and the field that says more."""
