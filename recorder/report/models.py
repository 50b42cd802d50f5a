"""The read models of a session as they are now, whether or not its store keeps them."""

from __future__ import annotations

from typing import Any, NamedTuple

from recorder.derive import derive, mark
from recorder.pricing import PriceBook
from recorder.providers import provider
from recorder.store.base import SessionRow, Store
from recorder.store.model_rows import ROWS


class ReadModels(NamedTuple):
    """Rows by table. `kept`: they are what the store holds, so that SQL finds them there."""

    tables: dict[str, list[Any]]
    kept: bool


def kept_models(store: Store, row: SessionRow) -> ReadModels | None:
    """What the store keeps of a session, if the present code made it of the present events, at any
    prices; else None."""
    have, now = store.models("mark", row.id), mark(store, row, PriceBook.shipped())
    if not have or have[0]._replace(price_book=now.price_book) != now:
        return None
    return ReadModels({name: store.models(name, row.id) for name in ROWS}, True)


def read_models(store: Store, row: SessionRow) -> ReadModels:
    """What the store keeps of a session, else what is made of it now, and not kept.

    RecorderError for a session of a provider that is not known here.
    """
    provider(row.provider)
    kept = kept_models(store, row)
    if kept is not None:
        return kept
    made: dict[str, list[Any]] = {**derive(store, row, PriceBook.shipped().then(row.wall_ns))}
    return ReadModels(made, False)
