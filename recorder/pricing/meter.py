"""Adds up what the messages of one session say was used, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from recorder.events import Event
from recorder.pricing.lines import CostLine, known, total
from recorder.pricing.prices import PriceBook
from recorder.providers.base import Provider
from recorder.providers.usage import Quantity, Usage


class _Told(NamedTuple):
    """What was used of one key, the event that told it, and what it costs."""

    seq: int
    usages: list[Usage]
    lines: list[CostLine]


class Meter:
    """The bill of one session, as far as its messages have told it.

    What the provider charged is taken as it says; everything else is priced by the book. Usage
    that is told again counts once, and a later bill replaces an earlier one.
    """

    def __init__(self, provider: Provider, book: PriceBook) -> None:
        self._provider, self._book = provider.NAME, book
        self._reader = provider.usage()
        self._told: dict[str, _Told] = {}

    def take(self, type_: str, message: Mapping[str, Any], *, seq: int = 0) -> Sequence[CostLine]:
        """The lines that the next message adds or changes. `message` is its JSON, or that of an
        HTTP body; `seq` is its number on the tape, where it has one."""
        told: dict[str, list[Usage]] = {}
        for usage in self._reader.read(type_, message):
            told.setdefault(usage.key, []).append(usage)
        lines: list[CostLine] = []
        for key, usages in told.items():
            if key in self._told and self._told[key].usages == usages:
                continue
            self._told[key] = _Told(seq, usages, list(self._priced(seq, usages)))
            lines += self._told[key].lines
        return lines

    @property
    def usages(self) -> list[tuple[int, Usage]]:
        """What was used, each with its event's `seq`."""
        return [(told.seq, usage) for told in self._told.values() for usage in told.usages]

    @property
    def lines(self) -> list[CostLine]:
        """The bill."""
        return [line for told in self._told.values() for line in told.lines]

    @property
    def beside(self) -> list[tuple[CostLine, Decimal | None]]:
        """The bill, and beside each line what the book says; None where it has no price."""
        found: list[tuple[CostLine, Decimal | None]] = []
        for seq, usage in self.usages:
            listed = [self._by_book(seq, usage, each) for each in usage.quantities]
            if usage.usd is None:
                found += [(line, line.usd) for line in listed]
            else:
                found.append((self._by_provider(seq, usage, usage.usd), total(listed)))
        return found

    @property
    def usd(self) -> Decimal | None:
        """The total; None when something in it has no known price. 0 where nothing was used, or
        where the provider says that it charged nothing."""
        return total(self.lines)

    @property
    def known_usd(self) -> Decimal:
        """What is known of the total while `usd` is None, such as during an answer: at least this
        much was spent."""
        return known(self.lines)

    @property
    def unpriced(self) -> list[str]:
        """What has no price, one line each."""
        return [
            f"no price for {_named(line)} {line.meter} ({line.unit}) in {self._book.label}"
            for line in self.lines
            if line.usd is None
        ]

    @property
    def notes(self) -> list[str]:
        """What is assumed, or is wrong in what was told."""
        return [usage.note for _, usage in self.usages if usage.note]

    def _priced(self, seq: int, usages: Sequence[Usage]) -> Iterator[CostLine]:
        for usage in usages:
            if usage.usd is None:
                yield from (self._by_book(seq, usage, each) for each in usage.quantities)
            else:
                yield self._by_provider(seq, usage, usage.usd)

    def _by_book(self, seq: int, usage: Usage, used: Quantity) -> CostLine:
        price = self._book.price(self._provider, usage.component, usage.model, used.meter)
        usd = price.of(used.amount, used.unit) if price else None
        return self._line(seq, usage, used, usd)

    def _by_provider(self, seq: int, usage: Usage, usd: Decimal) -> CostLine:
        line = self._line(seq, usage, _summed(usage.quantities), usd)
        return line._replace(charged_by="provider", price_book=None)

    def _line(self, seq: int, usage: Usage, used: Quantity, usd: Decimal | None) -> CostLine:
        return CostLine(
            self._provider,
            usage.model,
            usage.component,
            used.meter,
            used.amount,
            used.unit,
            usd,
            "book",
            self._book.label,
            seq,
        )


class TapeMeter:
    """The bill of a whole session, given its events in order: `meter`."""

    def __init__(self, provider: Provider, book: PriceBook) -> None:
        self.meter = Meter(provider, book)
        self._mute = provider.RULES.deltas.keys()  # pieces of streams: they tell of no usage
        self._pieces: dict[int, list[bytes]] = {}  # of HTTP bodies under way, by channel

    def take(self, event: Event) -> None:
        """The next event: what the provider sent counts, an HTTP body at its last piece."""
        if event.sender != "provider":
            return
        if event.kind == "ws.text" and event.type not in self._mute:
            self._read(event, event.body)
        elif event.kind == "http.chunk" and event.body:
            self._pieces.setdefault(event.channel, []).append(event.body)
        elif event.kind == "http.chunk":
            self._read(event, b"".join(self._pieces.pop(event.channel, [])))

    def _read(self, event: Event, body: bytes) -> None:
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            return  # not JSON: it tells no usage
        if isinstance(message, Mapping):
            self.meter.take(event.type, message, seq=event.seq)


def cost_of(events: Iterable[Event], provider: Provider, book: PriceBook) -> Meter:
    """The bill of a whole session, from its events in order."""
    tape = TapeMeter(provider, book)
    for event in events:
        tape.take(event)
    return tape.meter


def _summed(quantities: Sequence[Quantity]) -> Quantity:
    """One quantity for what has one price: tokens of several kinds are added; of what is counted in
    several units there is no sum."""
    if len(quantities) == 1:
        return quantities[0]
    if any(each.unit != "token" for each in quantities):
        return Quantity("charge", Decimal(1), "event")
    return Quantity("tokens", sum((each.amount for each in quantities), Decimal(0)), "token")


def _named(line: CostLine) -> str:
    return f"{line.provider} {line.component} {line.model or 'of unknown name'}"
