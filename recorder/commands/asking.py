"""How commands ask a store one question after another in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from recorder.commands.common import open_for_reading
from recorder.commands.derived import derived_first
from recorder.errors import RecorderError

Ask = Callable[[str, Mapping[str, str]], list[tuple[Any, ...]]]


def asker(store_url: str) -> Ask:
    """Asks the store at a URL, which must exist, with its read models up to date."""
    if store_url == "memory:":
        raise RecorderError(
            f"{store_url}: only a store in a file or on a server can be asked in SQL"
        )
    with closing(open_for_reading(store_url)):
        pass  # tells what is wrong with it
    derived_first(store_url)
    from recorder.store.query import asking

    def ask(sql: str, given: Mapping[str, str]) -> list[tuple[Any, ...]]:
        with asking(store_url, sql, given) as (_, rows):
            return list(rows)

    return ask
