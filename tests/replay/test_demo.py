"""The demo: its trial on virtual time, and all of it as a user runs it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from recorder.clock import SystemClock
from recorder.commands.decide import material
from recorder.comparison.criteria import SHIPPED, load_criteria
from recorder.comparison.result import Comparison
from recorder.decision.document import document
from recorder.decision.material import Wanted
from recorder.store import open_store
from replay.commands.compare import compared
from replay.demo.demo import copied_criteria, fresh, shipped_scenarios
from replay.demo.trial import Trial

LIMIT_S = 90.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def store_url(folder: Path) -> str:
    """A store with the trial of the demo, each scenario once."""
    url = f"sqlite:///{folder / 'conversations.db'}"
    digest = load_criteria(copied_criteria(folder)).sha256
    with closing(open_store(url, create=True)) as store:
        held = list(Trial(store, "demo-1", SystemClock(), digest).hold(shipped_scenarios(), 1))
    assert [each.failed for each in held] == [None] * 4
    return url


@pytest.fixture(scope="module")
def comparison(folder: Path, store_url: str) -> Comparison:
    return compared(store_url, "demo-1", folder / SHIPPED)[0]


def test_each_run_does_what_its_scenario_expects_and_counts(comparison: Comparison) -> None:
    assert [(arm.runs, arm.valid) for arm in comparison.arms] == [(2, 2)] * 2
    assert comparison.exclusions == ()
    found = {each.criterion.name: each for each in comparison.pairs[0].findings}
    for name in (
        "task success",
        "turns answered in time",
        "interruptions that the agent yields to",
    ):
        assert (found[name].baseline.value, found[name].challenger.value) == (100.0, 100.0), name


def test_the_comparison_is_a_simulated_pilot_that_decides_nothing(comparison: Comparison) -> None:
    assert comparison.simulated
    assert comparison.pilot
    assert comparison.declaration.declared == "on-tape"
    decisive = comparison.pairs[0].of("gate", "primary")
    assert {each.verdict for each in decisive} == {"inconclusive"}


def test_the_decision_says_that_nothing_was_live(store_url: str, comparison: Comparison) -> None:
    wanted = Wanted(Decimal(10000), None, "replay compare demo-1")
    text = document(material(store_url, comparison, wanted))
    assert "**SIMULATED: " in text
    assert "No decision: this was no trial of the live services" in text


def test_each_demo_has_a_trial_of_its_own() -> None:
    assert fresh({"demo"}) == "demo-1"
    assert fresh({"demo", "demo-1", "demo-3"}) == "demo-2"


def test_edited_criteria_are_kept(tmp_path: Path) -> None:
    path = copied_criteria(tmp_path)
    assert load_criteria(path).criteria
    path.write_text(path.read_text() + "# mine\n")
    assert copied_criteria(tmp_path).read_text().endswith("# mine\n")


@pytest.mark.slow
def test_the_demo_can_be_run_twice(tmp_path: Path) -> None:
    for number in (1, 2):
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "replay", "demo"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - begun < LIMIT_S
        assert "SIMULATED: openai and vapi." in done.stdout
        told = (tmp_path / "demo" / "decision.md").read_text()
        assert f"# Decision: trial demo-{number}" in told
        page = (tmp_path / "demo" / "compare.html").read_text()
        assert f"<title>SIMULATED: Trial demo-{number}" in page
