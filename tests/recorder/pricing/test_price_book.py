"""The book of prices: what it refuses, and what it finds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from metering import BOOK, done, kinds, usage
from metering import meter as metered

from recorder.pricing import PriceBook, PriceBookError

ENTRY = """
[[price]]
provider = "openai"
component = "model"
names = ["one", "one-{date}"]
basis = "list"
source = "a page"
seen = 2026-11-01
"""
RATES = "per_million_tokens = { text_in = 4.00 }\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(f"as_of = 2026-11-02\n{text}", encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(PriceBookError) as caught:
        PriceBook.load(written(folder, text))
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("rates", "key", "why"),
    [
        ("per_minute = { text_in = 4 }", "per_minute.text_in", "wrong unit"),
        ("per_million_tokens = { duration = 4 }", "per_million_tokens.duration", "wrong unit"),
        ("per_million_characters = { audio_in = 4 }", ".audio_in", "wrong unit"),
        ("per_hour = { duration = 4 }", "price[1].per_hour", "is not a key"),
        ("per_million_tokens = { words_in = 4 }", ".words_in", "is no meter"),
        ("per_million_tokens = { text_in = -1 }", ".text_in", "is not a price"),
        ("per_million_tokens = { text_in = nan }", ".text_in", "is not a"),
        ("per_million_tokens = { text_in = inf }", ".text_in", "is not a"),
        ('per_million_tokens = { text_in = "4" }', ".text_in", "is not a number"),
        ("per_million_tokens = { text_in = true }", ".text_in", "is not a number"),
        ("per_million_tokens = 4", "price[1].per_million_tokens", "is not a table"),
        ("per_minute = { active = 1 }\nper_second = { active = 1 }", ".active", "a price already"),
        ("", "price[1]", "has no price"),
        (f"{RATES}valid_until = 2026-01-01\nvalid_from = 2026-01-01", "valid_until", "not after"),
        (f"{RATES}valid_from = 2026-01-01T10:00:00", "valid_from", "is not a date"),
        (f"{RATES}max_input_tokens = 0", "max_input_tokens", "is not a number of tokens"),
        (f"{RATES}discount = 4", "price[1].discount", "is not a key"),
    ],
)
def test_an_entry_that_could_give_a_wrong_amount_is_refused(
    tmp_path: Path, rates: str, key: str, why: str
) -> None:
    told = refusal(tmp_path, ENTRY + rates)
    assert "mine.toml" in told
    assert key in told
    assert why in told


@pytest.mark.parametrize("missing", ["provider", "component", "names", "basis", "source", "seen"])
def test_an_entry_that_lacks_something_is_refused(tmp_path: Path, missing: str) -> None:
    lines = [line for line in ENTRY.splitlines() if not line.startswith(missing)]
    told = refusal(tmp_path, "\n".join(lines) + "\n" + RATES)
    assert f"price[1].{missing}: is missing" in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('basis = "list"', 'basis = "guess"'),
        ('names = ["one", "one-{date}"]', "names = []"),
        ('names = ["one", "one-{date}"]', 'names = ["one-{date}"]'),
        ('source = "a page"', 'source = " "'),
        ('component = "model"', "component = []"),
        ("seen = 2026-11-01", 'seen = "2026-11-01"'),
    ],
)
def test_a_fact_of_an_entry_that_is_none_is_refused(
    tmp_path: Path, before: str, after: str
) -> None:
    assert f"price[1].{before.split()[0]}" in refusal(
        tmp_path, ENTRY.replace(before, after) + RATES
    )


@pytest.mark.parametrize("other", ["one", "one-2026-01-01", "one-{date}"])
def test_a_name_has_one_price_on_a_day(tmp_path: Path, other: str) -> None:
    names = f'["two", "{other}"]'
    second = ENTRY.replace('["one", "one-{date}"]', names) + RATES
    assert "has a price on the same days" in refusal(tmp_path, ENTRY + RATES + second)


def test_prices_follow_each_other_in_time(tmp_path: Path) -> None:
    old = f"{ENTRY}{RATES}valid_until = 2026-06-01\n"
    new = f"{ENTRY}per_million_tokens = {{ text_in = 2.00 }}\nvalid_from = 2026-06-01\n"
    path = written(tmp_path, old + new)

    def price(on: date | None) -> Decimal | None:
        found = PriceBook.load(path, on).price("openai", "model", "one-2026-02-03", "text_in")
        return found.usd if found else None

    assert price(None) == price(date(2026, 6, 1)) == Decimal(2)
    assert price(date(2026, 5, 31)) == Decimal(4)
    assert PriceBook.load(path).label == "mine 2026-11-02"
    assert PriceBook.load(path, date(2026, 5, 31)).label == "mine 2026-11-02, prices of 2026-05-31"


def test_before_a_price_was_in_force_there_is_none() -> None:
    old = PriceBook.shipped(date(2025, 1, 1))
    found = metered(book=old)
    found.take("session.created", {"session": {"model": "gpt-realtime"}})
    found.take("response.done", done(usage(kinds(10), kinds())))
    assert found.usd is None
    assert BOOK.price("openai", "model", "gpt-realtime", "text_in") is not None


def test_a_price_counts_in_its_own_unit_and_converts_time() -> None:
    minute = BOOK.price("openai", "transcriber", "gpt-realtime-whisper", "duration")
    token = BOOK.price("openai", "model", "gpt-realtime", "audio_out")
    assert minute is not None
    assert token is not None
    assert minute.of(Decimal(30), "second") == minute.of(Decimal("0.5"), "minute")
    assert minute.of(Decimal(30), "second") == Decimal("0.0085")
    assert token.of(Decimal(1), "token") == Decimal("0.000064")
    assert minute.of(Decimal(1), "token") is None
    assert token.of(Decimal(1), "character") is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("anthropic/claude-sonnet-4-5", True),
        ("anthropic/claude-sonnet-4-5-20250929", True),
        ("anthropic/claude-sonnet-4-5-fast", False),
        ("anthropic/claude-sonnet-4-5-20250929x", False),
        ("claude-sonnet-4-5", False),
    ],
)
def test_a_model_goes_by_the_names_that_the_book_has(name: str, found: bool) -> None:
    assert (BOOK.entry("vapi", "model", name) is not None) is found


def test_the_shipped_book_has_sources_and_is_of_one_date() -> None:
    assert BOOK.name == "shipped"
    assert BOOK.label == f"shipped {BOOK.as_of}"
    assert all(each.source and each.seen <= BOOK.as_of for each in BOOK.entries)
    realtime = {each.model for each in BOOK.entries if each.component == "model"}
    assert {"gpt-realtime", "gpt-realtime-mini", "gpt-4o-realtime-preview"} <= realtime
    live = BOOK.price("openai-live", "session", "gpt-live-1.1", "standby")
    assert live is not None
    assert live.of(Decimal(60), "second") == Decimal("0.02")


def test_a_folder_is_a_book(tmp_path: Path) -> None:
    written(tmp_path, ENTRY + RATES)
    (tmp_path / "other.toml").write_text(
        "as_of = 2026-12-01\n" + ENTRY.replace('"one', '"two') + RATES, encoding="utf-8"
    )
    book = PriceBook.load(tmp_path)
    assert book.as_of == date(2026, 12, 1)
    assert {each.model for each in book.entries} == {"one", "two"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("as_of = ", "is not TOML"),
        ("as_of = 2026-11-01", "there is no [[price]]"),
        ("as_of = 2026-11-01\nprice = [1]", "price[1]: is not a table"),
        ("as_of = 1\n" + ENTRY + RATES, "as_of: 1 is not a date"),
        ("today = 2026-11-01\n", "today: is not a key"),
    ],
)
def test_a_file_that_is_no_book_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PriceBookError, match=r"bad\.toml") as caught:
        PriceBook.load(path)
    assert why in str(caught.value)


def test_a_book_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceBookError, match="cannot be read"):
        PriceBook.load(tmp_path / "none.toml")
    with pytest.raises(PriceBookError, match=r"no \.toml file"):
        PriceBook.load(tmp_path)
