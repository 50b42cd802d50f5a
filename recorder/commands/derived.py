"""Read models, brought up to date by the commands that write tapes and by those that read them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from recorder.commands.common import open_for_reading, open_for_writing, progress
from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.store.base import Store


def keep_derived(store: Store) -> None:
    """Make the read models that are missing or stale. What cannot be made is told in one line on
    standard error and harms nothing: the tape is there, and `record rebuild` can be run again."""
    from recorder.clock import SystemClock
    from recorder.derive import refresh, stale
    from recorder.pricing import PriceBook

    try:
        due = stale(store, PriceBook.shipped(), SystemClock().wall_ns())
        for row, book in progress(due, "read models"):
            try:
                refresh(store, [row], book)
            except Exception as error:
                warn(f"the read models of {row.id} could not be made", error)
    except RecorderError as error:
        warn("read models are not up to date", error)


def derived_first(store_url: str) -> None:
    """`keep_derived` before a store is read, which must exist; one that cannot be written is read
    as it is."""
    from recorder.clock import SystemClock
    from recorder.derive import stale
    from recorder.pricing import PriceBook

    with closing(open_for_reading(store_url)) as store:
        if not stale(store, PriceBook.shipped(), SystemClock().wall_ns()):
            return
    try:
        with closing(open_for_writing(store_url, create=False)) as store:
            keep_derived(store)
    except RecorderError as error:
        warn("read models are not up to date", error)


def warn(what: str, error: Exception) -> None:
    """One line on standard error."""
    why = str(error) if isinstance(error, RecorderError) else f"a bug: {error!r}"
    text = " ".join(f"record: {what} ({why})".split())
    click.echo(f"{text}; `record rebuild` tells more", err=True)
