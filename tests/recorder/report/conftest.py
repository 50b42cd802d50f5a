"""A page of a spoken call, and a browser to open it in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from report_pages import SECONDS, Made, make
from spoken_call import spoken_call

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="package")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("page"), spoken_call(SECONDS))


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in _NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium of this system. Of one module: the loop of Playwright's synchronous
    interface must have ended before tests with loops of their own run in this process."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (dev)")
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or set CHROMIUM")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield started
        started.close()
