"""`replay run` to another provider than that of the tape, as a user runs it."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from click.testing import CliRunner
from crossing_tapes import SHORT, hold
from kept_runs import keep
from openai_tapes import typed

from recorder.errors import RecorderError
from recorder.store import open_store
from recorder.store.base import SessionRow
from replay.cli import cli

Kept = tuple[str, dict[str, str]]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A store with a spoken call of Vapi and a typed conversation of OpenAI: its URL, their ids."""
    url = f"sqlite:///{tmp_path_factory.mktemp('crossing') / 'tapes.db'}"
    with closing(open_store(url, create=True)) as store:
        spoken = hold(store, "vapi", SHORT, ("Done.",)).id
    return url, {"vapi": spoken, "openai": keep(url, typed())}


class Ended:
    """How a command ended."""

    def __init__(self, kept: Kept, tape: str, *words: str) -> None:
        url, ids = kept
        result = CliRunner().invoke(cli, ["run", ids[tape], "--store", url, *words])
        self.error = ""
        self.code = result.exit_code
        if isinstance(result.exception, RecorderError):
            self.code, self.error = result.exception.exit_code, str(result.exception)
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.lines = result.stdout.splitlines()
        self.told = result.stderr


def rows(kept: Kept) -> list[SessionRow]:
    with closing(open_store(kept[0], create=False, readonly=True)) as store:
        return store.sessions()


def test_a_tape_is_played_to_the_other_provider(kept: Kept) -> None:
    ended = Ended(kept, "vapi", "--against", "openai")
    assert ended.code == 0
    assert ended.lines[0] == "not carried over: model gpt-4.1: openai runs gpt-realtime"
    assert "turn 1: the caller speaks for 0.6 s" in ended.lines
    verdict, recorded = ended.lines[-2:]
    assert verdict.startswith("PASS turns=1/1 tools=1 cost=$0.0")
    made = next(row for row in rows(kept) if row.id == recorded.removeprefix("recorded "))
    assert (made.provider, made.parent, made.origin) == ("openai", kept[1]["vapi"], "replay")
    assert made.trial == "calls"


def test_runs_are_told_to_machines_and_not_kept_if_told_so(kept: Kept) -> None:
    before = len(rows(kept))
    more = ("--no-record", "--repeat", "2", "--json", "--budget", "1")
    double = ("--tool", "book_table=booked", "--tool", "time=noon")
    ended = Ended(kept, "vapi", "--against", "openai", *more, *double)
    told = [json.loads(line) for line in ended.lines]
    assert (ended.code, [each["run"] for each in told]) == (0, [1, 2])
    assert {(each["outcome"], each["session"]) for each in told} == {("pass", None)}
    assert told[0]["turns"][1]["here"]["tools"][0]["output"] == "booked"
    assert told[0]["turns"] == told[1]["turns"]
    assert told[0]["notes"] == ["double never used: time"]
    assert ended.told.startswith("estimate: $0.0")
    assert ended.told.endswith(" a run at openai with gpt-realtime, 2 times\n")
    assert len(rows(kept)) == before


def test_typed_words_are_typed_there_too(kept: Kept) -> None:
    ended = Ended(kept, "openai", "--against", "vapi", "--no-record")
    assert ended.code == 0
    assert "turn 2: the caller writes" in ended.lines
    assert "  written      openai  What is the weather in Paris?" in ended.lines
    assert "               vapi    What is the weather in Paris?" in ended.lines
    assert ended.lines[-1].startswith("PASS turns=3/3 tools=1")


def test_a_run_that_would_pass_the_budget_is_not_begun(kept: Kept) -> None:
    ended = Ended(kept, "openai", "--against", "vapi", "--budget", "0.0001")
    assert ended.code == 1
    assert ended.lines[-1].startswith(
        "INCONCLUSIVE turns=0/3: the budget of $0.0001 would be passed: $0.0001 of it are left"
    )


@pytest.mark.parametrize(
    ("tape", "words", "told"),
    [
        ("vapi", ("openai=x",), "--against is not a URL"),
        ("vapi", ("openai=https://api.openai.com",), "set OPENAI_API_KEY in the environment"),
        ("openai", ("vapi=https://api.vapi.ai",), "calls tools by webhook: give --public-url"),
        ("vapi", ("openai", "--speed", "2"), "--speed is not for a conversation with another"),
        ("vapi", ("openai", "--patience", "2"), "--patience is not for a conversation with"),
        ("vapi", ("openai", "--public-url", "http://x"), "--public-url is for a URL, not for a"),
        ("vapi", ("openai=http://127.0.0.1:9", "--seed", "2"), "--seed is for a simulator in this"),
        (
            "vapi",
            ("vapi", "--listen", "127.0.0.1:1"),
            "--listen is for a conversation with",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    kept: Kept,
    monkeypatch: pytest.MonkeyPatch,
    tape: str,
    words: tuple[str, ...],
    told: str,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ended = Ended(kept, tape, "--against", *words)
    assert (ended.code, ended.lines) == (2, [])
    assert told in ended.error
