"""Features as they are defined: rows and columns of a table whose cells are still empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal, NamedTuple

Support = Literal["yes", "partly", "no"]
SUPPORT: Final = ("yes", "partly", "no")


class Column(NamedTuple):
    """A provider of the table. `sessions` is its name on the store; None where its conversations
    cannot be recorded yet, so that nothing can be shown."""

    id: str
    name: str
    sessions: str | None


class Source(NamedTuple):
    """Where something was read, and when."""

    title: str
    url: str
    seen: date


class Claim(NamedTuple):
    """What somebody wrote about a feature. `text` is one sentence without its full stop."""

    support: Support
    text: str
    source: Source


class Query(NamedTuple):
    """How a trial shows a feature: `sql` gives one row, how often it was shown and how often it
    was tried, over the sessions of `:trial` and `:provider`. `text` has `{shown}` and `{of}`.
    `columns` are those that it is asked for; all, where it names none."""

    sql: str
    text: str
    columns: tuple[str, ...]

    def concerns(self, column: str) -> bool:
        """Whether it is asked for a column."""
        return not self.columns or column in self.columns


class Feature(NamedTuple):
    """A row. `claims` are by column."""

    id: str
    area: str
    name: str
    asks: str
    queries: tuple[Query, ...]
    claims: Mapping[str, Claim]

    def query(self, column: str) -> Query | None:
        """The first that concerns a column."""
        return next((each for each in self.queries if each.concerns(column)), None)


class Definitions(NamedTuple):
    """All rows, in the order of their areas, and all columns."""

    columns: tuple[Column, ...]
    features: tuple[Feature, ...]
