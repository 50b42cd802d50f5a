"""Criteria files are read strictly."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from recorder.comparison.criteria import load_criteria, read_criteria, shipped
from recorder.comparison.sources import SOURCES
from recorder.errors import RecorderError

ONE = """schema = 1
[[criterion]]
name = "wait"
family = "primary"
metric = "v2v_ms"
statistic = "p95"
better = "lower"
margin = 150
"""


def test_a_criterion_has_its_units() -> None:
    [one] = read_criteria(ONE, "mine.toml").criteria
    assert (one.statistic, one.quantile, one.unit, one.effect_unit) == (
        "quantile",
        0.95,
        "ms",
        "ms",
    )
    [two] = read_criteria(ONE.replace("p95", "log_median"), "mine.toml").criteria
    assert (two.statistic, two.quantile, two.effect_unit) == ("log_median", None, "%")


def test_what_is_counted_knows_its_statistic() -> None:
    text = 'schema = 1\n[[criterion]]\nname = "a"\nmetric = "task_success"\nmargin = 5\n'
    [one] = read_criteria(text, "x").criteria
    assert (one.family, one.statistic, one.better) == ("exploratory", "rate", "higher")
    assert one.effect_unit == "points"


def test_the_digest_is_that_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(ONE)
    assert load_criteria(path).sha256 == hashlib.sha256(ONE.encode()).hexdigest()


def test_those_that_come_along_are_valid_and_have_every_family() -> None:
    found = shipped()
    assert {each.family for each in found.criteria} == {"gate", "primary", "exploratory"}
    assert found.baseline == "vapi"


def test_the_documentation_shows_what_comes_along() -> None:
    text = Path("docs/compare.md").read_text()
    for each in shipped().criteria:
        assert f"| {each.name} |" in text
    for name in SOURCES:
        assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("margin = 150", "margin = 150\nmargins = 1"), "mine.toml:9: criterion 1: unknown key"),
        (("margin = 150", "margin = 0"), "margin has to be above 0"),
        (("margin = 150", ""), "margin is missing"),
        (("v2v_ms", "v2v"), "mine.toml:5: criterion 1: metric 'v2v' is none of"),
        (('better = "lower"\n', ""), "better is missing"),
        (('"lower"', '"less"'), "valid are lower, higher"),
        (("p95", "p0"), "statistic is 'p0'"),
        (("p95", "median"), "valid are log_median, mean, p50"),
        (("primary", "main"), "valid are primary, gate, exploratory"),
        (("schema = 1", "schema = 2"), "schema has to be 1"),
        (("schema = 1", "schema = 1\nconfidence = 95"), "confidence has to be from 0.5"),
        (("schema = 1", "schema = 1\nmargin = 1"), "unknown key 'margin'"),
        ((ONE[11:], ""), "there is no criterion"),
        (("v2v_ms", "usd_per_minute"), "unknown key 'statistic'"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(change: tuple[str, str], told: str) -> None:
    assert change[0] in ONE
    with pytest.raises(RecorderError, match=re.escape(told)) as error:
        read_criteria(ONE.replace(*change), "mine.toml")
    assert "\n" not in str(error.value)


def test_two_criteria_have_two_names() -> None:
    with pytest.raises(RecorderError, match="a second criterion is called 'wait'"):
        read_criteria(ONE + ONE.removeprefix("schema = 1\n"), "mine.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecorderError, match="give a file of criteria"):
        load_criteria(tmp_path / "none.toml")
