"""How long the page of a spoken call takes to make, and to open in Chromium.

    python -m benchmarks.report [--seconds 298] [--times 5] [--chromium /usr/bin/chromium]

The call is that of `tests/spoken_call.py`: 20 ms of audio a message, a turn every six seconds. A
page is open when it has drawn itself: from the start of the navigation until its script is done and
a frame has been painted.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

_OPEN = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
  const [navigation] = performance.getEntriesByType("navigation");
  done([navigation.responseEnd, navigation.domComplete, performance.now()]);
})))"""


def make(folder: Path, seconds: float) -> Path:
    """A store with the call, and its page; prints how long each took."""
    from spoken_call import spoken_call
    from tapes import record

    from recorder.commands.report import command
    from recorder.derive import refresh
    from recorder.store import open_store

    store, page = folder / "tapes.db", folder / "session.html"
    with closing(open_store(str(store), create=True)) as opened:
        session = record(opened, spoken_call(seconds), trial="benchmark")
        begun = time.perf_counter()
        refresh(opened)
        print(f"read models   {time.perf_counter() - begun:6.2f} s")
    begun = time.perf_counter()
    command(["--store", str(store), session, "-o", str(page)], standalone_mode=False)
    print(f"page          {time.perf_counter() - begun:6.2f} s, {page.stat().st_size / 1e6:.1f} MB")
    return page


def opening(browser: Any, page: Path) -> float:
    """Milliseconds until the page has drawn itself."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    tab = context.new_page()
    tab.goto(page.as_uri(), wait_until="load")
    read, complete, painted = tab.evaluate(_OPEN)
    assert tab.evaluate("document.documentElement.dataset.ready") == "true"
    context.close()
    print(f"opened        {painted:6.0f} ms (read {read:.0f}, drawn {complete:.0f})")
    return float(painted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=298.0, help="of the call")
    parser.add_argument("--times", type=int, default=5, help="how often it is opened")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = make(Path(folder), options.seconds)
        browser = playwright.chromium.launch(
            executable_path=options.chromium, args=["--no-sandbox"]
        )
        times = [opening(browser, page) for _ in range(options.times)]
        browser.close()
    print(f"median        {statistics.median(times):6.0f} ms of {len(times)}")


if __name__ == "__main__":
    main()
