"""The page of a comparison in a real browser: it opens, plays, leads to its evidence, is safe."""

from __future__ import annotations

from typing import Any

import pytest
from compared_page import HOSTILE, Made
from compared_page import make as make_compared
from report_pages import NARROW, opened, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_compared(tmp_path_factory.mktemp("compare"))


def test_verdicts_come_first_with_words_and_their_query(browser: Any, made: Made) -> None:
    with opened(browser, made) as page:
        assert page.locator("#warnings li").first.inner_text().startswith("SIMULATED: ")
        assert page.locator("main h2 .tag.loud").count() == page.locator("main h2").count()
        findings = page.locator(".finding")
        assert findings.count() == len(made.comparison.pairs[0].findings)
        assert all(each.strip() for each in page.locator(".finding .badge").all_inner_texts())
        assert HOSTILE in findings.first.locator("h5").inner_text()
        assert page.locator("script").count() == 3
        number = findings.nth(1).locator(".num").first
        number.click()
        query = page.locator("#evidence pre").inner_text()
        assert query.split() == made.comparison.pairs[0].findings[1].query.split()
        page.keyboard.press("Escape")
        assert not page.locator("#evidence").is_visible()


def test_every_number_opens_sql(browser: Any, made: Made) -> None:
    with opened(browser, made) as page:
        found = page.evaluate(
            """() => [...document.querySelectorAll("main .num")].map((number) => {
              number.click();
              const dialog = document.getElementById("evidence");
              const [sql, value] = ["pre", ".big"].map(
                (name) => dialog.querySelector(name).textContent
              );
              dialog.close();
              return [number.textContent, value, sql];
            })"""
        )
    assert len(found) > 50
    assert all(sql.startswith("SELECT ") for _, _, sql in found)
    assert all(
        text and value.removesuffix("/min") == text.removesuffix("/min") for text, value, _ in found
    )


def test_a_turn_plays_side_after_side(browser: Any, made: Made) -> None:
    with opened(browser, made, "#turn-1") as page:
        assert page.evaluate("document.activeElement.id") == "turn-1"
        page.keyboard.press("2")
        until(page, "document.getElementById('audio').currentTime > 0.2")
        assert page.locator(".side .play").nth(1).inner_text() == "■"
        page.keyboard.press("Space")
        assert page.evaluate("document.getElementById('audio').paused")
        page.locator(".play-all").first.click()
        until(page, "document.getElementById('audio').currentTime > 0.1")
        page.evaluate("document.getElementById('audio').currentTime = 3.8")
        until(page, "document.querySelectorAll('.side .play')[1].textContent === '■'")
        page.keyboard.press("Space")
        page.keyboard.press("j")
        assert page.evaluate("location.hash") == "#turn-1"


def test_an_address_names_a_criterion(browser: Any, made: Made) -> None:
    with opened(browser, made, "#criterion-1-3") as page:
        assert page.evaluate("document.activeElement.id") == "criterion-1-3"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_in_light_and_dark_axe_finds_nothing_serious(
    browser: Any, made: Made, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe (dev)").Axe()
    with opened(browser, made, color_scheme=scheme, viewport=NARROW, bypass_csp=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        found = axe.run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    told = [(each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in serious]
    assert told == []


def test_on_paper_it_is_light_and_has_no_buttons(browser: Any, made: Made) -> None:
    with opened(browser, made, color_scheme="dark") as page:
        page.emulate_media(media="print")
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert not page.locator(".play-all").first.is_visible()
        assert page.locator("#warnings .loud").is_visible()
