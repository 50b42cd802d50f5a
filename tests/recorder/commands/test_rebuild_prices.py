"""At which prices `record rebuild` makes bills: those that `record estimate` tells."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
from commandline import out, run
from tapes import WALL_NS, Script, Take, record, session_object, usage

from recorder import derive
from recorder.billing import paid
from recorder.pricing import PriceBook
from recorder.projections.marks import MarkRow
from recorder.store import open_store

_YEARS_NS = 2 * 365 * 86_400_000_000_000


class Kept(NamedTuple):
    """A store with an answer of today's, one of before its model had a price, and one of a model
    that nobody knows."""

    path: Path
    new: str
    old: str
    unknown: str


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    path = tmp_path / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        return Kept(
            path,
            record(store, _answer("gpt-realtime")),
            record(store, _answer("gpt-realtime"), wall_ns=WALL_NS - _YEARS_NS),
            record(store, _answer("gpt-tomorrow"), trial="other"),
        )


def _answer(model: str) -> list[Take]:
    script = Script().open()
    script.provider("session.created", session=session_object(model=model))
    done = {"id": "resp_1", "status": "completed", "usage": usage(20, 40)}
    return script.provider("response.done", response=done).close().takes


def _by_sql(kept: Kept) -> dict[str, Decimal | None]:
    with closing(open_store(str(kept.path), create=False, readonly=True)) as store:
        return {
            session: paid(store.models("cost_line", session))
            for session in (kept.new, kept.old, kept.unknown)
        }


def _book_of(kept: Kept, session: str) -> str:
    with closing(open_store(str(kept.path), create=False, readonly=True)) as store:
        (mark,) = store.models("mark", session)
    return str(mark.price_book)


def test_sql_tells_what_estimate_tells(kept: Kept) -> None:
    out(kept.path, "rebuild")
    told = {}
    for session in (kept.new, kept.old, kept.unknown):
        usd = json.loads(out(kept.path, "estimate", session, "--json"))["usd"]
        told[session] = None if usd is None else Decimal(usd)
    assert _by_sql(kept) == told
    # 50 x 4 + 20 x 32 + 10 x 16 + 40 x 64 millionths
    assert told[kept.new] == Decimal("0.00356")
    assert told[kept.old] is None, "no price was in force"


def test_a_day_that_was_asked_for_is_kept_even_if_it_is_the_book_s(kept: Kept) -> None:
    today = PriceBook.shipped().as_of
    said = out(kept.path, "rebuild", "--session", kept.old, "--prices", str(today))
    assert said.splitlines()[0].endswith(f"(prices: {PriceBook.shipped(today).label})")
    out(kept.path, "sql", "SELECT 1")
    assert _book_of(kept, kept.old).endswith(f", prices of {today}")
    assert _by_sql(kept)[kept.old] == Decimal("0.00356")
    said = out(kept.path, "rebuild", "--session", kept.old)
    assert said == f"rebuilt 1 session (prices: {PriceBook.shipped().label}, of its day)\n"
    assert _by_sql(kept)[kept.old] is None


def test_bills_at_the_book_s_day_that_nobody_asked_for_are_made_anew(kept: Kept) -> None:
    book = PriceBook.shipped()
    with closing(open_store(str(kept.path), create=False)) as store:
        derive.refresh(store)
        (made,) = store.models("mark", kept.new)
        tables = {"mark": [MarkRow(*made[:4], book.label)]}
        store.put_models(kept.new, tables)
        due = {row.id: prices for row, prices in derive.stale(store, book)}
    assert {session: prices.on for session, prices in due.items()} == {kept.new: date(2026, 9, 21)}


def test_what_has_no_price_is_told_in_one_line(kept: Kept) -> None:
    lenient = run(kept.path, "rebuild", "--trial", "other")
    told = "4 lines have no price: gpt-tomorrow; `record estimate` tells more"
    assert (lenient.code, lenient.error) == (0, f"record: {told}\n")
    strict = run(kept.path, "rebuild", "--trial", "other", "--strict")
    assert (strict.code, strict.error, strict.out) == (1, told, lenient.out)
    priced = run(kept.path, "rebuild", "--session", kept.new, "--strict")
    assert (priced.code, priced.error) == (0, "")
    assert run(kept.path, "rebuild", "--check", "--strict").code == 2
