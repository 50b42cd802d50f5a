"""Pages of sessions for tests: how they are made."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from commandline import out
from tapes import Take, record

from recorder.derive import refresh
from recorder.store import open_store

SECONDS = 46
"""Of the call whose page most tests read."""


@dataclass
class Made:
    """A store with one session, and the page of it."""

    store: Path
    session: str
    page: Path

    @property
    def url(self) -> str:
        return self.page.as_uri()


def make(folder: Path, takes: list[Take]) -> Made:
    store, page = folder / "tapes.db", folder / "session.html"
    with closing(open_store(str(store), create=True)) as opened:
        session = record(opened, takes, trial="a page")
        refresh(opened)
    out(store, "report", session, "-o", str(page))
    return Made(store, session, page)
