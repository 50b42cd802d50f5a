"""A tape as checks read it: what it means in neutral rows, its events, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recorder.pricing import Meter, PriceBook
from recorder.projections import Seen, project
from recorder.projections.marks import MetricRow
from recorder.projections.rows import Models
from recorder.providers.base import Provider
from replay.checks.occurrences import Closed, Occurrence, Occurrences

NO_TIMES = "the tape has no times"
REPLAYED = "the tape is of a replay, whose pace was not the provider's: judge the original"


@dataclass(frozen=True)
class Tape:
    """What checks look at. `metrics` are the measured values by name; `untimed` says why its times
    tell nothing of the provider; ``""`` if they do."""

    provider: Provider
    models: Models
    events: Sequence[Occurrence]
    meter: Meter
    closes: Sequence[Closed] = ()
    metrics: Mapping[str, Sequence[MetricRow]] = field(default_factory=dict)
    end_ns: int = 0
    untimed: str = ""

    @property
    def last_turn(self) -> int:
        """How many turns it has."""
        return len(self.models.turns)


def read_tape(
    seen: Iterable[Seen],
    provider: Provider,
    book: PriceBook,
    measure: Callable[[Models], Iterable[MetricRow]] | None = None,
) -> Tape:
    """Read a tape, given as its events in order, without their audio. `measure` gives the measured
    values; None if nobody asks for them."""
    events = list(seen)
    occurrences, meter = Occurrences(), Meter(provider, book)
    for event, *_ in events:
        occurrences.take(event)
    found = occurrences.all()
    for each in found:
        if each.sender == "provider" and isinstance(each.value, Mapping):
            meter.take(each.type, each.value, seq=each.seq)
    models = project(events[0].event.session if events else "", events, provider)
    named: dict[str, list[MetricRow]] = {}
    for row in measure(models) if measure else ():
        named.setdefault(row.metric, []).append(row)
    times = [event.at_ns for event, *_ in events]
    return Tape(
        provider,
        models,
        found,
        meter,
        list(occurrences.closes.values()),
        named,
        max(times, default=0),
        "" if len(set(times)) > 1 else NO_TIMES,
    )
