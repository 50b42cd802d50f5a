"""`replay diff` on a command line: what it prints, and how it ends."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from commandline import out
from tapes import SECRETS, WALL_NS, conversation, record

from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.errors import RecorderError
from recorder.store import open_store
from replay.cli import cli

SECOND = 1_000_000_000
KEPT = Path(__file__).parents[3] / "fixtures" / "tapes"
NAMES = ("openai-typed", "openai-spoken")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a conversation, a run that differs in a word, and a replay of the first."""
    path = tmp_path_factory.mktemp("diff") / "tapes.db"
    other = [
        take._replace(body=take.body.replace(b"Good morning.", b"Good evening."))
        for take in conversation()
    ]
    with closing(open_store(str(path), create=True)) as store:
        first = record(store, conversation())
        record(store, other, wall_ns=WALL_NS + SECOND)
        record(store, conversation(), parent=first, origin="replay", wall_ns=WALL_NS + 2 * SECOND)
    return path


def run(path: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["diff", *words, "--store", str(path)])


def test_equal_tapes_end_with_0(path: Path) -> None:
    result = run(path, "last~2", "last")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("no differences: ")


def test_a_difference_ends_with_1_and_is_told(path: Path) -> None:
    result = run(path, "last~2", "last~1")
    assert result.exit_code == 1
    assert 'medium text changed  $.transcript  "Good morning." → "Good evening."' in result.stdout
    assert result.stdout.splitlines()[-1] == "1 difference: 1 medium (1 text)"


def test_only_grades_that_count_fail(path: Path) -> None:
    assert run(path, "last~2", "last~1", "--fail-on", "medium").exit_code == 1
    assert run(path, "last~2", "last~1", "--fail-on", "high").exit_code == 0


def test_a_replay_is_compared_with_its_tape(path: Path) -> None:
    assert run(path, "last").exit_code == 0
    result = run(path, "last~1")
    assert isinstance(result.exception, RecorderError)
    assert "is not a replay: name the tape to compare it with" in str(result.exception)


def test_json_has_every_difference(path: Path) -> None:
    document = json.loads(run(path, "last~2", "last~1", "--json").stdout)
    (found,) = document["differences"]
    assert document["counts"] == {"low": 0, "medium": 1, "high": 0}
    assert found["path"] == "$.transcript"
    assert found["a"] == '"Good morning."'
    assert found["a_seq"] == found["b_seq"]
    assert document["a"]["provider"] == "openai"


def test_junit_has_a_case_for_each_turn(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "diff.xml"
    run(path, "last~2", "last~1", "--junit", str(file))
    suite = ElementTree.parse(file).getroot()[0]
    assert [case.get("name") for case in suite] == [
        "before the first turn",
        "turn 1, user: Hello there.",
        "turn 2, user: What is the time in Łódź?",
    ]
    assert [len(case) for case in suite] == [0, 1, 0]
    assert suite[1][0].tag == "failure"
    assert suite.get("failures") == "1"


def test_a_rule_accepts_a_difference_and_one_without_use_is_told(path: Path) -> None:
    rule = "any response.output_audio_transcript.done:$.transcript"
    assert run(path, "last~2", "last~1", "--rule", rule).exit_code == 0
    rule = "ignore response.done:$.response.nothing"
    result = run(path, "last~2", "last", "--rule", rule)
    assert result.exit_code == 0
    assert result.stderr == f"this rule held nowhere: {rule}\n"


def test_a_file_that_cannot_be_written_is_one_line(path: Path, tmp_path: Path) -> None:
    result = run(path, "last~2", "last", "--junit", str(tmp_path / "no" / "diff.xml"))
    assert isinstance(result.exception, RecorderError)
    assert "give a file in a folder that exists" in str(result.exception)


def test_tapes_of_two_providers_are_refused(tmp_path: Path) -> None:

    path = tmp_path / "two.db"
    with closing(open_store(str(path), create=True)) as store:
        record(store, conversation())
        writer = Writer(store, VirtualClock(), SECRETS)
        writer.start()
        writer.open("vapi", "demo").end("complete")
        writer.close()
    result = run(path, "last~1", "last")
    assert isinstance(result.exception, RecorderError)
    assert "A is a conversation with" in str(result.exception)
    assert "give two tapes of the same" in str(result.exception)


def test_kept_tapes_of_two_conversations_keep_differing(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    ids = [out(path, "import", str(KEPT / name)).split()[1].rstrip(":") for name in NAMES]
    for each in ids:
        assert run(path, each, each).exit_code == 0
    result = run(path, *ids, "--fail-on", "high")
    assert result.exit_code == 1
    assert "only in A" in result.stdout
    assert "only in B" in result.stdout
