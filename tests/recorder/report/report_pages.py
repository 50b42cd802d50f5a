"""Pages for tests: how they are made, and opened in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
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


class Page(Protocol):
    """A page that lies in a file."""

    page: Path

    @property
    def url(self) -> str: ...


READY = "document.documentElement.dataset.ready === 'true'"
WIDE = {"width": 1400, "height": 900}
NARROW = {"width": 400, "height": 800}


@contextmanager
def opened(browser: Any, made: Page, place: str = "", **options: Any) -> Iterator[Any]:
    """A page that is ready; that nothing complained and nothing was fetched is checked."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda asked: fetched.append(asked.url))
    fetched: list[str] = []
    try:
        page.goto(made.url + place)
        assert page.evaluate(READY)
        yield page
        assert "[object" not in page.locator("body").inner_text()
        beside = made.page.with_suffix(".flac").as_uri()
        assert [url for url in fetched if not url.startswith((made.url, beside, "blob:"))] == []
        assert complaints == [], complaints
    finally:
        context.close()


def until(page: Any, condition: str) -> None:
    """Wait for a condition in JavaScript. (The page's policy forbids Playwright's own way.)"""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"it never came: {condition}")
