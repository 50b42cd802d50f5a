"""The page of a session in a real browser: it opens, plays, leads to its evidence, and is safe."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from report_pages import NARROW, SECONDS, Made, make, opened, until
from spoken_call import HOSTILE
from tapes import Script

from recorder.commands import report


def now(page: Any) -> float:
    """Seconds that the player shows."""
    minutes, seconds = page.locator(".time").inner_text().split(" / ")[0].split(":")
    return int(minutes) * 60 + float(seconds)


def test_it_opens_and_says_what_the_session_is(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        assert page.locator("h1").inner_text() == "openai · gpt-realtime"
        assert call.session in page.locator("#subtitle").inner_text()
        strip = page.locator("#verdict").inner_text()
        assert "tape complete" in " ".join(strip.split())
        assert page.locator("#plot .user .wave").get_attribute("d")
        assert page.locator("#plot .agent .wave").get_attribute("d")
        for part in ("endpoint", "think", "lead"):
            assert page.locator(f"#plot .turn rect.{part}").count() >= 5
        assert page.locator("#plot .unheard rect.fore").count() == 1
        assert page.locator("#plot .cost path.area").count() >= 4


def test_words_that_are_markup_stand_as_words(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        words = page.locator("#words").evaluate("element => element.textContent")
        assert HOSTILE.replace("\u2028", " ") in words.replace("\u2028", " ")
        assert page.locator("#words script").count() == 0
        assert page.locator("script").count() == 3


def test_it_plays(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        page.keyboard.press("Space")
        until(page, "document.getElementById('audio').currentTime > 0.3")
        assert page.locator(".play").inner_text() == "Pause"
        page.keyboard.press("Space")
        until(page, "document.getElementById('audio').paused")
        assert now(page) >= 0.2
        assert page.evaluate("document.getElementById('audio').duration") >= SECONDS
        page.locator("#plot").click(position={"x": 900, "y": 100})
        place = page.evaluate("document.getElementById('audio').currentTime")
        assert place == pytest.approx(now(page), abs=0.1)
        assert place > 20


def test_an_address_names_a_moment(browser: Any, call: Made) -> None:
    with opened(browser, call, "#t=12.3") as page:
        assert now(page) == 12.3
        page.evaluate("location.hash = '#t=20.5'")
        until(page, "document.querySelector('.time').textContent.startsWith('0:20.5')")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("location.hash") == "#t=21.5"


def test_keys(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        page.keyboard.press("j")
        first = now(page)
        page.keyboard.press("j")
        assert now(page) > first > 0
        current = page.locator("#turns tr[aria-current]")
        assert current.locator("th").inner_text() == "2"
        assert page.locator("#words [aria-current]").get_attribute("data-turn") == "2"
        page.keyboard.press("k")
        assert now(page) == first
        page.keyboard.press("e")
        error = page.locator("#errors .trouble .moment").inner_text()
        assert now(page) == pytest.approx(float(error.split(":")[1]), abs=0.1)
        before = page.locator("#plot .ruler text").first.text_content()
        page.keyboard.press("+")
        page.keyboard.press("+")
        assert page.locator("#plot .ruler text").first.text_content() != before
        page.keyboard.press("0")
        assert page.locator("#plot .ruler text").first.text_content() == before


def test_keys_are_letters_in_a_field(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        page.locator("#event-text").fill("")
        page.locator("#event-text").press_sequentially("je")
        assert (page.locator("#event-text").input_value(), now(page)) == ("je", 0)


_DIGITS = re.compile(r"[^0-9.-]")


def _as_shown(value: float, text: str) -> bool:
    """Whether a value from the database is what the page shows, as far as that was rounded."""
    if text.endswith("%"):
        return round(value * 100) == int(text[:-2])
    if text.endswith(" s"):
        return abs(value / 1000 - float(text[:-2])) <= 0.005
    shown = float(_DIGITS.sub("", text.partition(" of ")[0]))
    return abs(value - shown) <= max(0.5 if text.endswith("ms") else 0.005, abs(shown) * 0.006)


_ALL_EVIDENCE = """() => [...document.querySelectorAll("main .num, header .num")]
    .filter((number) => (number.getAttribute("aria-label") || "").endsWith("evidence"))
    .map((number) => {
      number.click();
      const dialog = document.getElementById("evidence");
      const texts = (names) => [...dialog.querySelectorAll(names)].map((each) => each.textContent);
      const found = [texts("pre")[0], texts("pre")[1], texts(".big")[0], texts("dd").at(-2)];
      dialog.close();
      return found;
    })"""


@pytest.mark.slow
def test_every_number_opens_events_and_sql_that_give_it(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        numbers = page.evaluate(_ALL_EVIDENCE)
    seen: Counter[str] = Counter()
    with closing(sqlite3.connect(call.store)) as store:
        for answer, events, shown, span in numbers:
            value = store.execute(answer).fetchone()[0]
            (table,) = set(re.findall(r"FROM (\w+)", answer))
            if table in ("metric", "cost_line"):
                assert _as_shown(value, shown), (answer, value, shown)
            elif table == "transcript":
                assert " ".join(value.split()) == " ".join(shown.split())
            first, last = map(int, span.split(" to "))
            assert [row[0] for row in store.execute(events)] == list(range(first, last + 1))
            seen[table] += 1
    assert set(seen) >= {"metric", "cost_line", "transcript", "error", "interruption"}
    assert seen["metric"] > 80


def test_evidence_leads_to_its_moment_and_its_events(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        page.locator("#turns tbody .num").nth(1).click()
        dialog = page.locator("#evidence")
        assert dialog.locator("h2").inner_text() == "v2v_ms of turn 1"
        assert dialog.locator("ol li").count() >= 4
        dialog.get_by_role("button", name="Filter the events").click()
        assert page.locator("#event-range button").inner_text().startswith("events ")
        assert page.evaluate("document.activeElement.id") == "event-list"
        page.locator("#turns tbody .num").nth(1).click()
        dialog.get_by_role("button", name="Go to the moment").click()
        # it rests on the user's last sound, and on the agent's first
        assert now(page) == pytest.approx(2.7, abs=0.2)


def test_a_call_of_a_tool_leads_to_the_words_that_came_of_it(browser: Any, call: Made) -> None:
    with closing(sqlite3.connect(call.store)) as store:
        asked = "SELECT count(*) FROM metric WHERE metric = 'tool_resume_ms'"
        (resumed,) = store.execute(asked).fetchone()
    with opened(browser, call) as page:
        assert page.locator("#timeline path.resume").count() == resumed > 0


def test_sql_is_copied(browser: Any, call: Made) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with opened(browser, call, permissions=allowed) as page:
        page.locator("#tiles .num").first.click()
        page.locator("#evidence .copy").first.click()
        until(page, "document.querySelector('#evidence .copy').textContent === 'Copied'")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator("#evidence pre").first.inner_text()


def test_only_events_in_view_are_in_the_document(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        page.locator("#event-streamed").check()
        total = int(page.locator("#event-count").inner_text().split()[0].replace(",", ""))
        assert total > 2000
        rows = page.locator("#event-list .event")
        assert rows.count() < 60
        page.locator("#event-list").evaluate("list => { list.scrollTop = list.scrollHeight; }")
        page.wait_for_selector(f'#event-list [data-seq="{total}"]')
        assert rows.count() < 60


def test_events_are_filtered_and_shown(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        page.locator("#event-type").select_option("response.done")
        types = page.locator("#event-list .event .type").all_inner_texts()
        assert set(types) == {"response.done"}
        page.locator("#event-list").focus()
        page.keyboard.press("ArrowDown")
        assert '"type": "response.done"' in page.locator("#event-detail pre").inner_text()
        page.locator("#event-type").select_option("")
        page.locator("#event-text").fill("session_stalled")
        assert page.locator("#event-list .event").count() == 1


def test_definitions_of_latency_are_chosen(browser: Any, call: Made) -> None:
    with opened(browser, call) as page:
        assert page.locator("#definition").input_value() == "v2v_ms"
        before = page.locator("#spread .ecdf").get_attribute("d")
        page.locator("#definition").select_option("event_created_ms")
        assert page.locator("#spread .ecdf").get_attribute("d") != before
        page.locator("#budget").fill("0")
        assert page.locator("#spread p").last.inner_text().startswith("0 of ")


def _paper(page: Any) -> str:
    found: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return found


def test_light_and_dark(browser: Any, call: Made) -> None:
    white, black = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
    for scheme, first, second in (("light", white, black), ("dark", black, white)):
        with opened(browser, call, color_scheme=scheme) as page:
            assert _paper(page) == first
            page.locator("#theme").click()
            assert _paper(page) == second
            page.locator("#theme").click()
            assert _paper(page) == first


def test_on_paper_there_is_no_machinery(browser: Any, call: Made) -> None:
    with opened(browser, call, color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert _paper(page) == "rgb(255, 255, 255)"
        assert not page.locator("#raw").is_visible()
        assert not page.locator("#player").is_visible()
        words = page.locator("#words")
        assert words.evaluate("element => element.scrollHeight <= element.clientHeight + 1")


def _plain(page: Any) -> None:
    """As it opens."""


def _dialog(page: Any) -> None:
    page.locator("#tiles .num").first.click()


def _event(page: Any) -> None:
    page.locator("#event-list .event").nth(2).click()


@pytest.mark.parametrize(
    ("scheme", "act"),
    [
        ("light", _event),
        pytest.param("light", _dialog, marks=pytest.mark.slow),
        ("dark", _plain),
        pytest.param("dark", _dialog, marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_serious(
    browser: Any, call: Made, scheme: str, act: Callable[[Any], None]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe (dev)").Axe()
    # axe is put into the page as a script of its own, which the page's policy forbids to others
    with opened(browser, call, color_scheme=scheme, bypass_csp=True) as page:
        act(page)
        found = axe.run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    told = [(each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in serious]
    assert told == []


def test_a_narrow_page_does_not_scroll_sideways(browser: Any, call: Made) -> None:
    with opened(browser, call, viewport=NARROW) as page:
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"]


def test_without_sound_nothing_is_drawn_as_nought(browser: Any, tmp_path: Path) -> None:
    script = Script().open().wait(10)
    typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]}
    script.client("conversation.item.create", item=typed)
    made = make(tmp_path, script.wait(900).close().takes)
    with opened(browser, made) as page:
        assert page.locator("#tiles .value").first.inner_text() == "no data"
        assert page.locator(".play").is_disabled()
        assert page.locator("#plot").inner_text().count("no data") >= 4
        assert page.locator("#cost").inner_text().startswith("no data")
        page.keyboard.press("Space")
        page.keyboard.press("j")


def test_sound_beside_the_page(
    browser: Any, tmp_path: Path, call: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_EMBEDDED_S", 1)
    page_path = tmp_path / "long.html"
    from commandline import out

    said = out(call.store, "report", call.session, "-o", str(page_path))
    assert said.endswith(f"sound in {tmp_path / 'long.flac'}\n")
    with opened(browser, Made(call.store, call.session, page_path)) as page:
        assert "long.flac" in page.locator("#player").inner_text()
        page.keyboard.press("Space")
        until(page, "document.getElementById('audio').currentTime > 0.2")
