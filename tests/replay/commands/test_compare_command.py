"""`replay compare` on a store."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from compared_trial import SCENARIO, WALL_NS, Arm, Made, fill
from declared_criteria import FAILING_CALLS, criteria_file, criterion, primary

from recorder.comparison.documents import from_json
from recorder.comparison.result import Comparison
from recorder.errors import RecorderError
from recorder.store import open_store
from recorder.store.query import asking
from replay.cli import cli

CRITERIA = criteria_file(
    primary("wait", "v2v_ms", 10, "log_median"),
    FAILING_CALLS,
    primary("cost", "usd_per_success", 10),
    criterion("task", "task_success", 10),
    criterion("answered", "response_rate", 10),
    criterion("stops", "false_stops", 10),
    baseline="vapi",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "trial.db"
    opened = open_store(str(path), create=True)
    arms = (Arm("vapi"), Arm("openai", latency_ms=1000, failing=0.1, usd=0.065))
    fill(opened, arms, seed=3)
    fill(opened, arms, scenarios=3, repeats=2, trial="small")
    fill(opened, arms, scenarios=2, repeats=1, trial="private", change=_private)
    fill(opened, arms, scenarios=2, repeats=1, trial="expecting", change=_expecting)
    opened.close()
    return path


def _private(made: Made) -> None:
    made.source = None


def _expecting(made: Made) -> None:
    """The first scenario is met, the second is not, and nobody keeps to the budget."""
    expected = "no_errors = true" if made.scenario == "scenario-00" else "turns = { min = 1 }"
    more = f"expect = [ {{ {expected} }} ]\n[budget]\nmax_cost_usd = 0.0001\n"
    made.source = SCENARIO.format(id=made.scenario, more=more)


def compare(*words: str, store: Path) -> Result:
    result = CliRunner().invoke(cli, ["compare", *words, "--store", str(store)])
    if isinstance(result.exception, RecorderError):
        raise result.exception
    assert result.exception is None, result.exception
    return result


def criteria(tmp_path: Path, modified_ns: int) -> Path:
    path = tmp_path / "criteria.toml"
    path.write_text(CRITERIA)
    os.utime(path, ns=(modified_ns, modified_ns))
    return path


@pytest.fixture(scope="module")
def known(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """A trial of 10 x 5 paired runs, of which it is known in what the providers differ."""
    path = criteria(tmp_path_factory.mktemp("known"), WALL_NS - 1)
    told = compare("switch", "--criteria", str(path), "--json", store=store).stdout
    return from_json(json.loads(told))


def test_known_differences_are_found_from_the_rows_of_a_store(known: Comparison) -> None:
    told = {each.criterion.name: each.verdict for each in known.pairs[0].findings}
    for name in ("wait", "failing calls", "cost"):
        assert told[name] in ("worse", "worse-size-uncertain")
    assert told["task"] in ("equivalent", "inconclusive")
    assert told["answered"] in ("equivalent", "inconclusive")
    assert known.declaration.declared == "before"
    assert known.declaration.sha256 == hashlib.sha256(CRITERIA.encode()).hexdigest()


def test_every_query_gives_the_raw_values(store: Path, known: Comparison) -> None:
    rows = {}
    for each in known.pairs[0].findings:
        with asking(str(store), each.query) as (columns, answer):
            found = [dict(zip(columns, row, strict=True)) for row in answer]
            rows[each.criterion.name] = found
    assert len(rows["wait"]) == 600
    assert len(rows["failing calls"]) == 400
    assert len(rows["cost"]) == 100
    assert len(rows["task"]) == 200  # begin and end of each run
    failed = [row["failed"] for row in rows["failing calls"] if row["provider"] == "openai"]
    told = known.pairs[0].findings[1].challenger.value
    assert told == pytest.approx(100 * sum(failed) / len(failed))
    assert json.loads(rows["wait"][0]["run"])["scenario"].startswith("scenario-")


def test_the_text_says_what_it_is_first(store: Path) -> None:
    text = compare("small", store=store).stdout
    assert text.startswith("SIMULATED: vapi and openai answered from a simulator")
    assert "no margins were declared for this trial" in text
    assert "trial small: 3 scenarios × 2 runs" in text
    assert "excluded: no run" in text
    assert "openai against vapi" in text
    assert "P95 is not estimable below 59 independent observations; of an arm there are 6" in text
    assert "With the excluded runs" not in text
    assert "Not tested: " in text.splitlines()[-1]


def test_margins_declared_afterwards_are_warned_about(store: Path, tmp_path: Path) -> None:
    path = criteria(tmp_path, WALL_NS + 1)
    text = compare("small", "--criteria", str(path), store=store).stdout
    assert "the margins in criteria.toml were declared after the first run" in text


def test_the_other_arm_may_be_the_baseline(store: Path) -> None:
    text = compare("small", "--baseline", "openai", store=store).stdout
    assert "vapi against openai" in text


def test_a_scenario_that_is_not_on_the_tape_is_given(store: Path, tmp_path: Path) -> None:
    text = compare("private", store=store).stdout
    assert "with an unknown outcome: the scenario is not on the tape" in text
    words = []
    for number in range(2):
        path = tmp_path / f"{number}.toml"
        path.write_text(SCENARIO.format(id=f"scenario-{number:02}", more=""))
        words += ["--scenario", str(path)]
    assert "unknown outcome" not in compare("private", *words, store=store).stdout


def test_a_task_is_what_the_scenario_expects_and_not_its_budget(store: Path) -> None:
    told = compare("expecting", "--json", store=store).stdout
    findings = from_json(json.loads(told)).pairs[0].findings
    task = next(each for each in findings if each.criterion.metric == "task_success")
    assert (task.baseline.value, task.challenger.value) == (50, 50)


def test_what_is_wrong_is_told_in_one_line(store: Path, tmp_path: Path) -> None:
    with pytest.raises(RecorderError, match="no trial 'other' in the store; there are expecting"):
        compare("other", store=store)
    path = tmp_path / "bad.toml"
    path.write_text(CRITERIA + "weight = 3\n")
    with pytest.raises(RecorderError, match=r"bad.toml:\d+: criterion 6: unknown key 'weight'"):
        compare("switch", "--criteria", str(path), store=store)
