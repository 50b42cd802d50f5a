"""The page of a comparison as text: what it holds, what its numbers rest on, what it leaves out."""

from __future__ import annotations

import dataclasses
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from compared_page import HOSTILE, Made, make
from compared_trial import Arm
from compared_trial import fill as fill_many
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.audio.files import decode_flac
from recorder.comparison.comparing import compare
from recorder.comparison.criteria import shipped
from recorder.comparison.gather import gather as read
from recorder.comparison.page import sections, verdicts
from recorder.comparison.page.choosing import Scripted, choose
from recorder.comparison.page.clips import listen
from recorder.store import open_store
from recorder.store.memory import MemoryStore
from recorder.store.query import asking
from recorder.trial.validity import broken
from replay.cli import cli


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("compare"))


def _block(page: str, name: str) -> Any:
    found = re.search(rf'<script type="[^"]+" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def _numbers(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in the data that opens its SQL."""
    if isinstance(value, dict):
        if "sql" in value and "value" in value:
            yield value
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)


def test_simulated_is_said_first_and_in_the_title(made: Made) -> None:
    page = made.page.read_text()
    assert "<title>SIMULATED: Trial switch</title>" in page
    head = _block(page, "data")["head"]
    assert head["simulated"]
    assert head["warnings"][0].startswith("SIMULATED: ")


def test_the_page_needs_nothing_else_and_markup_stays_data(made: Made) -> None:
    page = made.page.read_text()
    assert "alert(1)</script>" not in page
    assert HOSTILE in _block(page, "data")["turns"][0]["sides"][0]["agent_text"]
    shell = re.sub(r'<script type="[^"]+" id="(data|sound)">.*?</script>', "", page, flags=re.S)
    assert not re.findall(r"(?:src|href)=\"(?!#)[^\"]*\"|@import|url\((?!#)", shell)
    assert not re.findall(r"<[^>]+\s(?:on\w+|style)=", shell)
    assert "innerHTML" not in shell
    assert "default-src &#x27;none&#x27;" in page


def test_every_number_of_the_page_is_what_its_query_gives(made: Made) -> None:
    facts = made.gathered.facts
    own = [facts[name] for name in ("plots", "spread", "money", "grid", "turns")]
    seen = 0
    for each in _numbers(own):
        with asking(str(made.store), each["sql"].rstrip(";")) as (columns, rows):
            answer = list(rows)
        assert answer, each
        if columns[0] in ("value", "usd", "minutes", "usd_per_minute", "usd_per_success"):
            assert float(answer[0][0]) == pytest.approx(each["value"]), each
            seen += 1
        else:  # judged by the program: the query gives what it judged
            assert columns[:4] == ["session", "seq", "type", "body"]
            assert " of " in each["text"]
    assert seen > 20


def test_every_number_of_a_verdict_has_a_query_that_runs(made: Made) -> None:
    found = list(_numbers(made.gathered.facts["pairs"]))
    for each in found:
        with asking(str(made.store), each["sql"]) as (columns, rows):
            assert columns[:2] == ["provider", "session"]
            list(rows)
    assert {each["title"] for each in found} >= {"voice-to-voice, median: vapi"}


def test_excluded_runs_are_counted_and_not_drawn(made: Made) -> None:
    facts = made.gathered.facts
    (excluded,) = facts["exclusions"]
    assert (excluded["arm"], excluded["rule"], excluded["runs"]["value"]) == ("vapi", "stall", 1)
    waits = next(plot for plot in facts["plots"] if plot["title"].startswith("Voice"))
    by_scenario = {row["scenario"]: row["values"] for row in waits["rows"]}
    arms = [arm.name for arm in made.comparison.arms]
    assert by_scenario["barge-in"][arms.index("vapi")] is None
    assert by_scenario["book-a-table"][arms.index("vapi")]["text"] == "1520 ms"
    assert {turn["scenario"] for turn in facts["turns"]} == {"book-a-table"}
    told = facts["pairs"][0]["findings"][1]
    assert told["verdict_all"] == made.comparison.pairs[0].findings[1].verdict_all


def test_every_rule_has_words() -> None:
    rules = {each.rule for each in broken({}, 1e6, 0, 1)}
    speed = {"pacing_error_p99_ms": 20.0, "realtime_ratio": 2.0}
    rules |= {each.rule for each in broken(speed, 0, 1, 1)}
    assert set(verdicts._RULES) == rules | {"not held"}


def test_a_turn_sounds_in_both_arms_from_where_the_caller_comes_to_it(made: Made) -> None:
    sounds = [b64decode(each) for each in _block(made.page.read_text(), "sound")]
    (turn,) = made.gathered.facts["turns"]
    assert [side["arm"] for side in turn["sides"]] == [arm.name for arm in made.comparison.arms]
    for side in turn["sides"]:
        samples = len(decode_flac(sounds[side["sound"]], 2)) // 4
        assert samples == round(side["ms"] * 16)
        assert side["ms"] == pytest.approx(3_940)  # 60 ms to 4 s: then comes the next turn
        assert side["on_ms"] - side["off_ms"] == pytest.approx(side["wait"]["value"], abs=0.2)


def test_what_would_make_the_page_large_is_named(made: Made) -> None:
    arms = [arm.name for arm in made.comparison.arms]
    with closing(open_store(str(made.store), create=False)) as store:
        heard = listen(store, made.evidence, arms, most=1_000)
    assert (heard.turns, heard.sounds, heard.paired) == ([], [], 1)
    (left,) = heard.left_out
    assert left.startswith("book-a-table, run 1, turn 1 (")


waits = st.dictionaries(
    st.builds(Scripted, st.sampled_from("abc"), st.integers(1, 3), st.integers(1, 3)),
    st.dictionaries(st.sampled_from(["x", "y", "z"]), st.floats(0, 1e4)),
)


@settings(max_examples=40)
@given(waits)
def test_the_longest_wait_of_each_arm_is_chosen_of_turns_that_all_answered(
    found: dict[Scripted, dict[str, float]],
) -> None:
    arms = ("x", "y", "z")
    paired = {key: each for key, each in found.items() if set(each) == set(arms)}
    chosen = choose(found, arms)
    assert len({each.scripted for each in chosen}) == len(chosen) <= 2 * len(arms)
    assert bool(chosen) == bool(paired)
    for arm in arms if paired else ():
        longest = next(each for each in chosen if f"{arm}: longest wait" in each.why)
        assert paired[longest.scripted][arm] == max(each[arm] for each in paired.values())
        median = next(each for each in chosen if f"{arm}: median wait" in each.why)
        below = sum(each[arm] <= paired[median.scripted][arm] for each in paired.values())
        assert 2 * below >= len(paired)


def test_three_arms() -> None:
    store = MemoryStore()
    arms = (Arm("vapi"), Arm("openai", usd=0.1), Arm("other", latency_ms=1200))
    fill_many(store, arms, scenarios=2, repeats=2)
    evidence = read(store, "switch", lambda _: True)
    comparison = compare(evidence, shipped(), "shipped")
    names = [arm.name for arm in comparison.arms]
    plots = sections.plots(evidence.runs, names)
    assert [len(row["values"]) for row in plots[0]["rows"]] == [3, 3]
    assert [each["challenger"] for each in verdicts.pairs(comparison)] == names[1:]
    spread = sections.spread(evidence.runs, names)
    assert [len(each) for each in spread["values"]] == [24, 24, 24]
    assert all(each == sorted(each) for each in spread["values"])


def test_a_cost_without_a_price_is_not_nought() -> None:
    store = MemoryStore()
    fill_many(store, (Arm("vapi"), Arm("openai")), scenarios=1, repeats=2)
    runs = [
        dataclasses.replace(run, counts={**run.counts, "usd_per_minute": None})
        if run.arm == "openai"
        else run
        for run in read(store, "switch", lambda _: True).runs
    ]
    money = sections.money(runs, ("vapi", "openai"), {"vapi": {"model": 0.1}, "openai": {}})
    assert money["rows"][0]["a_minute"]["text"].startswith("$")
    assert money["rows"][1]["a_minute"] is None
    assert money["parts"][1] == [None]


def test_the_command_writes_it(made: Made, tmp_path: Path) -> None:
    page, criteria = tmp_path / "compare.html", tmp_path / "criteria.toml"
    criteria.write_text(
        'schema = 1\n[[criterion]]\nname = "cost"\nmetric = "usd_per_run"\nmargin = 10\n'
    )
    words = ["compare", "switch", "--store", str(made.store), "--criteria", str(criteria)]
    ended = CliRunner().invoke(cli, [*words, "-o", str(page), "--json"])
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["trial"] == "switch"
    assert ended.stderr.startswith(f"{page}: ")
    assert _block(page.read_text(), "data")["head"]["trial"] == "switch"
    nowhere = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "none" / "x.html")])
    assert "cannot write" in str(nowhere.exception)
