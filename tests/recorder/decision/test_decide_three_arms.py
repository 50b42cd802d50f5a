"""`record decide` for a trial of three providers, one of which tells little: GPT-Live."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commandline import out
from small_trial import SCENARIOS, TRIAL, Cue, fill, keep
from tapes import Take

from recorder.commands import decide
from recorder.comparison.gather import gather
from recorder.comparison.result import Comparison
from recorder.derive import refresh
from recorder.features.matrix import fill as fill_matrix
from recorder.features.reading import definitions
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.query import asking

GOLDEN = Path(__file__).parents[3] / "fixtures" / "tapes-live" / "openai-live-golden"
WALL_NS = 1_795_000_000_000_000_000


def live_session(path: Path) -> list[Take]:
    """In which the user speaks at 1 s, and at 3.8 s over the agent, who yields at 4.2 s."""
    out(path, "import", str(GOLDEN))
    with closing(open_store(str(path), create=False)) as store:
        (row,) = store.sessions()
        return [
            Take(each.at_ns / 1e6, each.channel, each.sender, each.kind, each.type, each.body)
            for each in Recording(store, row.id).events()
        ]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    path, spoken = folder / "tapes.db", live_session(folder / "golden.db")
    with closing(open_store(str(path), create=True)) as store:
        fill(store)
        for number, scenario in enumerate(SCENARIOS):
            cues = (Cue(950), Cue(3_700, "yield"))
            run = {"scenario": scenario, "provider": "openai-live", "repeat": 1}
            keep(store, {**run, "target": "simulator"}, spoken, cues, WALL_NS + number)
        refresh(store)
    return path


@pytest.fixture(scope="module")
def page(three: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    from replay.commands.compare import compared

    def here(store_url: str, words: list[str]) -> Comparison:
        return compared(store_url, words[0], baseline="openai")[0]

    path = tmp_path_factory.mktemp("page") / "decision.md"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decide, "compared", here)
        out(three, "decide", TRIAL, "-o", str(path))
    return path.read_text()


def test_each_decision_names_its_arms(page: str) -> None:
    assert "Each challenger is compared with the baseline, and not with the others" in page
    assert "Inconclusive whether vapi is better than openai:" in page
    assert "Inconclusive whether openai-live is better than openai:" in page


def test_the_models_of_each_arm_have_an_end_or_are_open(page: str) -> None:
    assert "last run: openai failed, openai-live open, vapi open." in page
    assert "| openai-live | gpt-live-1 | no date was found | – | nothing is announced |" in page
    assert "| openai-live | gpt-4.1-mini | not known to this program | – | – |" in page
    assert "days after the last run; what comes after it: GPT-Live (`gpt-live-1`" in page


def test_a_session_that_is_charged_by_the_second_says_so(page: str) -> None:
    (line,) = [each for each in page.splitlines() if each.startswith("- openai-live: session $")]
    assert "backend $" in line
    assert "The open session is charged by the second, silence too: 18 s in all." in line


def test_what_the_wire_does_not_tell_is_not_measured(page: str) -> None:
    (line,) = [each for each in page.splitlines() if "- openai-live, not measured" in each]
    unmeasured = line.partition(": ")[2].partition(" (")[0].split(", ")
    assert {"cached_ratio", "eos_delay_ms", "event_committed_ms"} <= set(unmeasured)
    assert {"v2v_ms", "yield_ms"}.isdisjoint(unmeasured)


def test_the_way_to_it_is_told(page: str) -> None:
    assert "From openai to openai-live the application changes as follows" in page
    assert "docs/migration/openai-to-openai-live.md tells it in full" in page


def test_an_interruption_that_nobody_announces_is_counted_by_sound(three: Path) -> None:
    with closing(open_store(str(three), create=False)) as store:
        found = gather(store, TRIAL, lambda kept: True)
    counts = [run.counts["yields"] for run in found.runs if run.arm == "openai-live"]
    assert counts == [(1.0, 1.0), (1.0, 1.0)]


def test_the_table_of_features_counts_interruptions_alike(three: Path) -> None:
    def ask(sql: str, given: Mapping[str, str]) -> list[tuple[Any, ...]]:
        with asking(str(three), sql, given) as (_, rows):
            return list(rows)

    with closing(open_store(str(three), create=False)) as store:
        runs = gather(store, TRIAL, lambda kept: True).runs
    matrix = fill_matrix(definitions(), TRIAL, ask)
    cells = next(row.cells for row in matrix.rows if row.feature.id == "interruption")
    shown = {
        arm.column.sessions: (float(cell.shown.shown), float(cell.shown.of))
        for arm, cell in zip(matrix.arms, cells, strict=True)
        if cell.shown
    }
    counted: dict[str, tuple[float, float]] = {}
    for run in runs:
        yielded, of = run.counts["yields"] or (0.0, 0.0)
        before = counted.get(run.arm, (0.0, 0.0))
        counted[run.arm] = before[0] + yielded, before[1] + of
    assert shown == counted
    assert set(shown) == {"openai", "vapi", "openai-live"}
