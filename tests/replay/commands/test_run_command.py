"""`replay run` as a user runs it: against a simulator in its process, and wrongly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from kept_runs import digest, keep_typed
from tapes import Script, record

from recorder.errors import RecorderError
from recorder.store import open_store
from recorder.store.base import SessionRow
from replay.cli import cli


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A store with one typed conversation with a simulator of seed 5."""
    return keep_typed(tmp_path_factory.mktemp("run"))


class Ended:
    """How a command ended."""

    def __init__(self, *words: str) -> None:
        result = CliRunner().invoke(cli, ["run", *words])
        self.error = ""
        self.code = result.exit_code
        if isinstance(result.exception, RecorderError):
            self.code, self.error = result.exception.exit_code, str(result.exception)
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.lines = result.stdout.splitlines()
        self.told = result.stderr


def rows(url: str) -> list[SessionRow]:
    with closing(open_store(url, create=False, readonly=True)) as store:
        return store.sessions()


def test_the_seed_of_the_tape_makes_the_tape_again(kept: tuple[str, str]) -> None:
    url, tape = kept
    ended = Ended(tape, "--store", url, "--against", "openai")
    assert ended.code == 0
    verdict, recorded = ended.lines
    assert verdict.startswith("PASS steps=10/10 audio=0.0s cost=$0.0")
    run = recorded.removeprefix("recorded ")
    assert digest(url, run) == digest(url, tape)
    row = next(row for row in rows(url) if row.id == run)
    assert (row.parent, row.origin, row.trial) == (tape, "replay", "first")
    assert (row.status, row.model) == ("complete", "gpt-realtime")


def test_another_seed_makes_another_tape(kept: tuple[str, str]) -> None:
    url, tape = kept
    ended = Ended(tape, "--store", url, "--against", "openai", "--seed", "8", "--json")
    told = json.loads(ended.lines[0])
    assert (ended.code, told["outcome"], told["steps_on_tape"]) == (0, "pass", 10)
    assert digest(url, told["session"]) != digest(url, tape)


def test_what_differs_is_named_turn_by_turn(kept: tuple[str, str]) -> None:
    url, tape = kept
    told = {}
    for seed in ("5", "8"):
        more = ("--against", "openai", "--seed", seed, "--json")
        session = json.loads(Ended(tape, "--store", url, *more).lines[0])["session"]
        result = CliRunner().invoke(cli, ["diff", tape, session, "--store", url])
        told[seed] = result.output
    assert "no differences" in told["5"]
    assert "turn 1" in told["8"]
    assert "turn 2" in told["8"]


def test_it_is_repeated_and_not_recorded_if_told_so(kept: tuple[str, str]) -> None:
    url, tape = kept
    before = len(rows(url))
    more = ("--against", "openai", "--repeat", "3", "--no-record", "--tool", "get_weather=rain")
    ended = Ended(tape, "--store", url, *more)
    assert ended.code == 0
    assert len(ended.lines) == 4
    assert ended.lines[-1] == "3 of 3 runs passed"
    assert len(rows(url)) == before


def test_a_bound_that_is_too_short_is_inconclusive(kept: tuple[str, str]) -> None:
    url, tape = kept
    more = ("--against", "openai", "--max-seconds", "0.5", "--no-record")
    ended = Ended(tape, "--store", url, *more)
    assert ended.code == 1
    assert ended.lines[0].startswith("INCONCLUSIVE steps=")
    assert ended.lines[0].endswith("it was not over after 0.5 s (--max-seconds)")


def test_a_budget_is_told_first_and_kept(kept: tuple[str, str]) -> None:
    url, tape = kept
    more = ("--against", "openai", "--no-record", "--budget", "0.0012")
    ended = Ended(tape, "--store", url, *more)
    assert ended.told.startswith("estimate: $0.00")
    assert ended.code == 1
    assert ended.lines[0].startswith("INCONCLUSIVE")
    assert "the budget of $0.0012 would be passed" in ended.lines[0]
    spent = float(ended.lines[0].partition("cost=$")[2].split(":")[0])
    assert 0 < spent <= 0.0012


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A tape of a call by WebRTC."""
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    script = Script().open(query="call_id=rtc_1").close()
    with closing(open_store(url, create=True)) as store:
        yield url, record(store, script.takes)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--against", "openai=http://127.0.0.1:9"),
            "is of openai itself: give --against http://127",
        ),
        (("--against", "nowhere"), "give http://…, https://…, or openai, openai-live or vapi"),
        (("--against", "http://127.0.0.1:9", "--seed", "3"), "--seed is for a simulator in this"),
        (("--against", "openai", "--speed", "2"), "a simulator here runs on virtual time"),
        (("--against", "https://h.example", "--speed", "2"), "--speed is for servers on this"),
        (("--against", "https://h.example"), "needs a key: set OPENAI_API_KEY"),
        (("--against", "http://127.0.0.1:9"), "cannot reach http://127.0.0.1:9"),
    ],
)
def test_what_does_not_go_together_is_said_in_a_line(
    kept: tuple[str, str], words: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    url, tape = kept
    ended = Ended(tape, "--store", url, "--no-record", *words)
    assert ended.code == 2
    assert message in ended.error
    assert "\n" not in ended.error


def test_a_tape_without_a_client_s_side_says_why(bare: tuple[str, str]) -> None:
    ended = Ended(bare[1], "--store", bare[0], "--against", "openai")
    assert ended.code == 2
    assert "has no client's side to play: the socket that joins a call" in ended.error


@pytest.mark.parametrize(
    "words", [("--tool", "weather"), ("--tool", "a=@/no/such/file"), ("--budget", "much")]
)
def test_wrong_values_are_refused(kept: tuple[str, str], words: tuple[str, ...]) -> None:
    ended = Ended(kept[1], "--store", kept[0], "--against", "openai", *words)
    assert ended.code == 2
    assert words[0] in ended.told + ended.error
