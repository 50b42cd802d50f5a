"""`replay check` on a command line: what it prints, and how it ends."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from commandline import out
from tapes import WALL_NS, conversation, record

from recorder.errors import RecorderError
from recorder.store import open_store
from replay.cli import cli

KEPT = Path(__file__).parents[3] / "fixtures" / "tapes"
GOOD = """
[[check]]
name = "greets"
says = "good morning"
"""
BAD = """
[[check]]
calls = "clock"
args = { city = "Kraków" }
"""
OPEN = """
[[check]]
yields_within_ms = 500
"""
IDLE = """
[[check]]
answered_within_ms = 500
of = "cancel"
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("check") / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        record(store, conversation())
    return path


def run(path: Path, tmp_path: Path, text: str, *words: str) -> Result:
    file = tmp_path / "booking.toml"
    file.write_text(text, "utf-8")
    return CliRunner().invoke(cli, ["check", "last", str(file), "--store", str(path), *words])


def test_what_passes_ends_with_0(path: Path, tmp_path: Path) -> None:
    result = run(path, tmp_path, GOOD + IDLE)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "PASS          greets",
        "              the agent says 'good morning' (turn 1: “Good morning.”)  (events 44)",
        "NOT RUN       answered_within_ms 500",
        "              cancel is not called",
        "2 checks: 1 pass, 1 not run",
    ]


def test_a_failure_ends_with_1(path: Path, tmp_path: Path) -> None:
    result = run(path, tmp_path, GOOD + BAD)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2:] == [
        "FAIL          calls clock",
        """              clock is called, but $.city is "Łódź", wanted 'Kraków'  (events 53, 55)""",
        "2 checks: 1 pass, 1 fail",
    ]


@pytest.mark.parametrize("words", [(), ("--allow-inconclusive",)])
def test_a_file_of_which_nothing_was_judged_ends_with_1(
    path: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = run(path, tmp_path, IDLE, *words)
    assert result.exit_code == 1
    assert result.stderr == "no check was judged, so that nothing is known to hold\n"


def test_times_of_a_replay_are_judged_only_if_its_provider_was_not_played(tmp_path: Path) -> None:
    path = tmp_path / "tapes.db"
    takes = conversation()
    other = [take._replace(body=take.body.replace(b"event_", b"live_")) for take in takes]
    slow = GOOD + "[[check]]\nlatency_ms = { max = 9000 }\n"
    with closing(open_store(str(path), create=True)) as store:
        first = record(store, takes)
        record(store, takes, parent=first, origin="replay", wall_ns=WALL_NS + 10**9)
    result = run(path, tmp_path, slow)
    assert result.exit_code == 1
    assert "whose pace was not the provider's" in result.stdout
    with closing(open_store(str(path), create=False)) as store:
        record(store, other, parent=first, origin="replay", wall_ns=WALL_NS + 2 * 10**9)
    assert run(path, tmp_path, slow).exit_code == 0


def test_what_cannot_be_judged_ends_with_1_unless_allowed(path: Path, tmp_path: Path) -> None:
    assert run(path, tmp_path, OPEN).exit_code == 1
    assert run(path, tmp_path, GOOD + OPEN, "--allow-inconclusive").exit_code == 0
    assert run(path, tmp_path, BAD, "--allow-inconclusive").exit_code == 1


def test_json_and_junit(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "checks.xml"
    text = GOOD + BAD + OPEN + IDLE
    result = run(path, tmp_path, text, "--json", "--junit", str(file))
    found = json.loads(result.stdout)["checks"]
    outcomes = ["pass", "fail", "inconclusive", "not run"]
    assert [each["outcome"] for each in found] == outcomes
    assert found[0] == {
        "name": "greets",
        "kind": "says",
        "outcome": "pass",
        "reason": "the agent says 'good morning' (turn 1: “Good morning.”)",
        "events": [44],
    }
    suite = ElementTree.parse(file).getroot()[0]
    assert suite.get("name") == "booking"
    assert [case[0].tag for case in suite] == ["system-out", "failure", "failure", "skipped"]
    assert [case[0].get("type") for case in suite] == [None, "fail", "inconclusive", None]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[check]]\nsay = 'x'", "booking.toml, check 1 has no kind: give one of"),
        ("[[check]]\nturns = 'x'", "booking.toml, check 1 (turns): turns has to be a number"),
    ],
)
def test_a_wrong_file_is_one_line(path: Path, tmp_path: Path, text: str, error: str) -> None:
    result = run(path, tmp_path, text)
    assert isinstance(result.exception, RecorderError)
    assert result.exception.exit_code == 2
    assert error in str(result.exception)


def test_a_file_that_is_not_there_is_one_line(path: Path, tmp_path: Path) -> None:
    words = ["check", "last", str(tmp_path / "no.toml"), "--store", str(path)]
    result = CliRunner().invoke(cli, words)
    assert isinstance(result.exception, RecorderError)
    assert "cannot be read" in str(result.exception)


def test_a_kept_tape_is_measured_and_priced(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    out(path, "import", str(KEPT / "openai-spoken"))
    text = """
[[check]]
metric = "v2v_ms"
max = 2000

[[check]]
cost_usd = { min = 0.001, max = 0.1 }
"""
    result = run(path, tmp_path, text)
    assert result.exit_code == 0, result.stdout
    prices = tmp_path / "prices.toml"
    prices.write_text("as_of = 2026-01-01", "utf-8")
    result = run(path, tmp_path, text, "--prices", str(prices))
    assert isinstance(result.exception, RecorderError)
