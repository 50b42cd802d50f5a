"""The shipped book against genai-prices, which others keep; what differs is known and listed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from metering import BOOK

from recorder.pricing.entries import Entry

_HOUR = Decimal(3600)
_KEYS = {
    "text_in": "input_mtok",
    "text_cached": "cache_read_mtok",
    "text_out": "output_mtok",
    "audio_in": "input_audio_mtok",
    "audio_cached": "cache_audio_read_mtok",
    "audio_out": "output_audio_mtok",
    "text_written": "cache_write_mtok",
    "image_in": "input_image_mtok",
    "image_cached": "cache_image_read_mtok",
}
_DIFFERS = {
    ("gpt-4o-transcribe", "audio_in"),  # the vendor's page of 2026 has 2.50
    ("gpt-4o-mini-transcribe", "audio_in"),  # and 1.25
    ("gpt-live-1.1", "active"),  # not there yet
    ("gpt-live-1.1", "standby"),
}
_COMPONENTS = ("model", "transcriber", "session", "translator", "backend")
LISTED = [
    (each, meter)
    for each in BOOK.entries
    if each.basis == "list" and each.component in _COMPONENTS
    for meter in each.prices
]


def theirs(entry: Entry, meter: str) -> Decimal | None:
    """Dollars a million tokens, or an hour."""
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import StartDateConstraint

    vendor, _, name = entry.model.rpartition("/")
    known = next(each for each in get_snapshot().providers if each.id == (vendor or "openai"))
    found = known.find_model(name)
    if found is None:
        return None
    prices = found.prices
    if isinstance(prices, list):  # by date: ours is the one that is in force
        last = prices[-1]
        assert isinstance(last.constraint, StartDateConstraint)
        assert last.constraint.start_date == entry.valid_from, "it has another price since"
        prices = last.prices
    value = getattr(prices, _KEYS.get(meter, "audio_hours"), None)
    return getattr(value, "base", value)


@pytest.mark.parametrize(
    ("entry", "meter"), LISTED, ids=[f"{entry.model} {meter}" for entry, meter in LISTED]
)
def test_a_listed_price_is_theirs(entry: Entry, meter: str) -> None:
    price = entry.prices[meter]
    ours = price.of(Decimal(1_000_000), "token") if meter in _KEYS else price.of(_HOUR, "second")
    if (entry.model, meter) in _DIFFERS:
        assert theirs(entry, meter) != ours, "it agrees now: take it off the list"
    else:
        assert theirs(entry, meter) == ours
