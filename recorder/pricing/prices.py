"""The book of prices: what a provider asks for a quantity of something, at a date.

Nothing is guessed. A model that is not in the book under the name that the provider uses, a meter
without a price, a unit that does not fit and a date on which no price was in force have no price.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

from recorder.pricing.entries import Entry, Price
from recorder.pricing.reading import read_book, texts_at


class PriceBook:
    """Entries in force on one day: on `on`, else on the day of the book, `as_of`.

    One rule for all who price: what was recorded has the prices of its day (`then`), unless a day
    was asked for; a plan has those of the book's day.
    """

    def __init__(
        self, name: str, as_of: date, entries: Sequence[Entry], on: date | None = None
    ) -> None:
        self.name, self.as_of, self.on = name, as_of, on or as_of
        self._is_dated = on is not None
        self._all = tuple(entries)

    @classmethod
    def shipped(cls, on: date | None = None) -> PriceBook:
        """The book that comes with this program."""
        return cls("shipped", *_shipped(), on)

    @classmethod
    def load(cls, path: Path | str, on: date | None = None) -> PriceBook:
        """The book in a TOML file, or in those of a folder; PriceBookError tells what is wrong."""
        return cls(Path(path).stem, *read_book(texts_at(Path(path))), on)

    def at(self, on: date) -> PriceBook:
        """The same book, with what was in force on another day."""
        return PriceBook(self.name, self.as_of, self._all, on)

    def then(self, wall_ns: int) -> PriceBook:
        """The same book, with what was in force when a session began: on that day, UTC."""
        return self.at(datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC).date())

    @property
    def label(self) -> str:
        """Its name and date, and the day of the prices where one was given."""
        made = f"{self.name} {self.as_of}"
        return f"{made}, prices of {self.on}" if self._is_dated else made

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What is in force."""
        return tuple(each for each in self._all if each.holds_on(self.on))

    def entry(self, provider: str, component: str, model: str | None) -> Entry | None:
        """The prices of a model, if the book has them."""
        return self._found.get((provider, component, model or ""), None) or self._look(
            provider, component, model
        )

    def price(self, provider: str, component: str, model: str | None, meter: str) -> Price | None:
        """The price of a bill's line: a published one, or one of real bills; never an estimate."""
        entry = self.entry(provider, component, model)
        if entry is None or entry.basis == "estimate":
            return None
        return entry.prices.get(meter)

    @cached_property
    def _found(self) -> dict[tuple[str, str, str], Entry]:
        return {
            (each.provider, each.component, name): each
            for each in self.entries
            for name in each.names
        }

    def _look(self, provider: str, component: str, model: str | None) -> Entry | None:
        if model is None:
            return None
        for each in self.entries:
            if (each.provider, each.component) == (provider, component) and each.goes_by(model):
                return each
        return None


@cache
def _shipped() -> tuple[date, Sequence[Entry]]:
    """Read and looked at once: each session that is shown or derived asks for it."""
    texts = {
        each.name: each.read_text(encoding="utf-8")
        for each in files("recorder.pricing").joinpath("book").iterdir()
        if each.name.endswith(".toml")
    }
    return read_book(texts)
