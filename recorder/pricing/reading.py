"""Reads a price book from TOML, and refuses one that could give a wrong amount.

as_of = 2026-11-24            # when the book was last checked

[[price]]
provider = "openai"
component = "model"
names = ["gpt-realtime", "gpt-realtime-2025-08-28"]
basis = "list"                # list, measured, estimate
source = "where the figures stand"
seen = 2026-11-24             # when they stood there
valid_from = 2025-08-28       # optional; likewise valid_until, the first day without them
per_million_tokens = { text_in = 4.00, text_out = 16.00 }
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from recorder.errors import RecorderError
from recorder.pricing.entries import Basis, Entry, Price, name_fits

_MILLION: Final = Decimal(1_000_000)
_PER: Final[Mapping[str, tuple[Decimal, str]]] = {
    "per_million_tokens": (_MILLION, "token"),
    "per_million_characters": (_MILLION, "character"),
    "per_minute": (Decimal(1), "minute"),
    "per_second": (Decimal(1), "second"),
}
_TOKENS: Final = tuple(
    f"{kind}_{way}" for kind in ("text", "audio", "image") for way in ("in", "cached", "out")
)
METERS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_TOKENS, ("token",)),
    "text_written": ("token",),  # input that is put into a cache
    "characters": ("character",),
    "duration": ("second", "minute"),
    "active": ("second", "minute"),
    "standby": ("second", "minute"),
}
"""What can have a price, and in which units."""
_NEEDED: Final = ("provider", "component", "names", "basis", "source", "seen")
_KEYS: Final = {*_NEEDED, *_PER, "valid_from", "valid_until", "max_input_tokens"}


class PriceBookError(RecorderError):
    """A price book that is not taken; the text names the file and the key."""


class _Place(NamedTuple):
    """Where in which file something stands."""

    file: str
    key: str

    def within(self, key: str) -> _Place:
        return _Place(self.file, f"{self.key}.{key}" if self.key else key)

    def refused(self, why: str) -> PriceBookError:
        return PriceBookError(f"price book {self.file}: {self.key}: {why}")


def texts_at(path: Path) -> dict[str, str]:
    """The TOML of a file, or of the files of a folder, by name."""
    try:
        found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        texts = {each.name: each.read_text(encoding="utf-8") for each in found}
    except (OSError, UnicodeDecodeError) as error:
        raise PriceBookError(f"price book {path} cannot be read: {error}") from None
    if not texts:
        raise PriceBookError(f"price book {path}: the folder has no .toml file")
    return texts


def read_book(texts: Mapping[str, str]) -> tuple[date, list[Entry]]:
    """The date of a book, which is the latest of its files, and its entries, from TOML texts by
    file name; PriceBookError at the first thing that is wrong."""
    entries: list[tuple[_Place, Entry]] = []
    days = []
    for file, text in sorted(texts.items()):
        try:
            book = tomllib.loads(text, parse_float=Decimal)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise PriceBookError(f"price book {file} is not TOML: {error}") from None
        _known(_Place(file, ""), book, {"as_of", "price"}, ("as_of",))
        days.append(_day(_Place(file, "as_of"), book["as_of"]))
        entries += _entries(file, book.get("price"))
    _apart(entries)
    return max(days), [entry for _, entry in entries]


def _entries(file: str, found: object) -> Iterator[tuple[_Place, Entry]]:
    if not isinstance(found, list) or not found:
        raise _Place(file, "price").refused("there is no [[price]]")
    for number, each in enumerate(found, 1):
        place = _Place(file, f"price[{number}]")
        if not isinstance(each, dict):
            raise place.refused("is not a table")
        for component in _components(place, each):
            yield place, _entry(place, {**each, "component": component})


def _components(place: _Place, table: Mapping[str, Any]) -> list[Any]:
    """What an entry is the price of: one component, or each of a list."""
    component = table.get("component")
    if component == []:
        raise place.within("component").refused("names no component")
    return component if isinstance(component, list) else [component]


def _entry(place: _Place, table: Mapping[str, Any]) -> Entry:
    _known(place, table, _KEYS, _NEEDED)
    entry = Entry(
        _word(place.within("provider"), table["provider"]),
        _word(place.within("component"), table["component"]),
        _names(place.within("names"), table["names"]),
        _prices(place, table),
        _basis(place.within("basis"), table["basis"]),
        _word(place.within("source"), table["source"]),
        _day(place.within("seen"), table["seen"]),
        _day(place.within("valid_from"), table.get("valid_from", date.min)),
        _day(place.within("valid_until"), table.get("valid_until", date.max)),
        _limit(place.within("max_input_tokens"), table.get("max_input_tokens")),
    )
    if entry.valid_from >= entry.valid_until:
        raise place.within("valid_until").refused("is not after valid_from")
    return entry


def _known(place: _Place, table: Mapping[str, Any], keys: set[str], needed: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            known = ", ".join(sorted(keys))
            raise place.within(key).refused(f"is not a key of a price book; known are {known}")
    for key in needed:
        if table.get(key) is None:
            raise place.within(key).refused("is missing")


def _prices(place: _Place, table: Mapping[str, Any]) -> dict[str, Price]:
    """All prices of an entry. A meter that cannot be counted in a unit is refused, and so is one
    that has two prices."""
    prices: dict[str, Price] = {}
    for section, (per, unit) in _PER.items():
        told = table.get(section, {})
        if not isinstance(told, dict):
            raise place.within(section).refused("is not a table of prices")
        for meter, usd in told.items():
            where = place.within(section).within(meter)
            if meter not in METERS:
                raise where.refused(f"is no meter; known are {', '.join(METERS)}")
            if unit not in METERS[meter]:
                raise where.refused(f"wrong unit: it is counted by {' or '.join(METERS[meter])}")
            if meter in prices:
                raise where.refused("has a price already")
            prices[meter] = Price(_amount(where, usd), per, unit)
    if not prices:
        raise place.refused(f"has no price; give one of {', '.join(_PER)}")
    return prices


def _amount(place: _Place, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise place.refused(f"{value!r} is not a number of dollars")
    amount = Decimal(value)
    if not amount.is_finite() or amount < 0:
        raise place.refused(f"{value} is not a price")
    return amount


def _word(place: _Place, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise place.refused(f"{value!r} is not a text")
    return value


def _names(place: _Place, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise place.refused("is not a list of names")
    names = tuple(_word(place, each) for each in value)
    if "{date}" in names[0]:
        raise place.refused("the first name is that of the model, without {date}")
    return names


def _basis(place: _Place, value: object) -> Basis:
    for known in get_args(Basis):
        if value == known:
            basis: Basis = known
            return basis
    raise place.refused(f"{value!r} is none of {', '.join(get_args(Basis))}")


def _day(place: _Place, value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise place.refused(f"{value!r} is not a date, such as 2026-11-24")
    return value


def _limit(place: _Place, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise place.refused(f"{value!r} is not a number of tokens")
    return value


def _apart(entries: Sequence[tuple[_Place, Entry]]) -> None:
    """No name may have two prices on one day."""
    for (before, one), (place, other) in combinations(entries, 2):
        if (one.provider, one.component) != (other.provider, other.component):
            continue
        if one.valid_from >= other.valid_until or other.valid_from >= one.valid_until:
            continue
        if shared := _shared(one, other):
            raise place.refused(
                f"{shared} has a price on the same days in {before.file}: {before.key}"
            )


def _shared(one: Entry, other: Entry) -> str | None:
    pairs = ((mine, theirs) for mine in one.names for theirs in other.names)
    return next((b for a, b in pairs if a == b or name_fits(a, b) or name_fits(b, a)), None)
