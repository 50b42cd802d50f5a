"""A trial as a user runs it: killed, taken up again, held up, and ended by its budget."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness import _environment, read, run

SCENARIO = """\
schema = 1
id = "mini"
title = "One question"
[voice]
wpm = 220
[agent]
instructions = "You book tables."
[[agent.tools]]
name = "book_table"
description = "Book a table"
[[tool]]
name = "book_table"
delay_ms = 100
result = { code = "R-1" }
[[turn]]
say = "Book a table."
expect = [{ calls = "book_table" }, { says = { contains = "R-1" } }]
[end]
quiet_ms = 100
max_s = 30
[simulator]
replies = ["R-1."]
"""
PATIENCE_S = 60.0


class Trial:
    """`record trial` on the small scenario, with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "mini.toml"
        self.path.write_text(SCENARIO)
        self.store = f"sqlite:///{folder / 'trial.db'}"

    def words(self, *more: str) -> list[str]:
        return ["trial", str(self.path), "--trial", "t", "--store", self.store, "--json", *more]

    @contextmanager
    def running(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "recorder", *self.words(*more)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def sessions(self) -> list[dict[str, Any]]:
        told = read("recorder", "sessions", "--json", "--store", self.store)
        found: list[dict[str, Any]] = json.loads(told)
        return found

    def wait_for(self, count: int, status: str) -> None:
        """Until the newest of `count` sessions has a status."""
        until = time.monotonic() + PATIENCE_S
        while True:
            rows = self.sessions()
            if len(rows) == count and rows[-1]["status"] == status:
                return
            assert time.monotonic() < until, rows
            time.sleep(0.2)


def next_run(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.wait()
    made: dict[str, Any] = json.loads(line)
    return made


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


@pytest.mark.slow
def test_a_killed_trial_goes_on_and_a_run_that_was_held_up_is_excluded(trial: Trial) -> None:
    with trial.running() as process:
        first = next_run(process)
        assert (first["outcome"], {each["outcome"] for each in first["expectations"]}) == (
            "finished",
            {"pass"},
        )
        trial.wait_for(2, "recording")
        process.kill()
    with trial.running() as process:
        trial.wait_for(3, "recording")
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(process.pid, signal.SIGCONT)
        second = next_run(process)
        assert {first["provider"], second["provider"]} == {"openai", "vapi"}
        assert any("stood still" in why for why in second["excluded"])
        assert process.wait(PATIENCE_S) == 1
    assert [row["status"] for row in trial.sessions()] == ["complete", "interrupted", "complete"]
    again = run("recorder", *trial.words())
    assert (again.code, again.out) == (0, "")
    assert "2 runs, 2 of them on the store already" in again.err


@pytest.mark.slow
def test_the_budget_ends_a_run_and_leaves_a_valid_tape(trial: Trial) -> None:
    ended = run("recorder", *trial.words("--provider", "openai", "--budget", "0.0001"))
    assert ended.code == 1, ended
    made = json.loads(ended.out)
    assert (made["outcome"], made["reason"]) == ("stopped", "more than $0.0001 is spent")
    assert "ended early: more than $0.0001 is spent" in ended.err
    assert "SIMULATED: openai" in ended.err
    assert run("recorder", "verify", made["session"], "--store", trial.store).code == 0
