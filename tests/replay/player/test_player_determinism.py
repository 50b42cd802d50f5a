"""A replay in virtual time is the tape again: in its order, in any process, with any hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from taped_client import PLAYED, digest, digests, replayed
from virtual_runs import openai

from recorder.events import Event

HERE = Path(__file__).parent.parent
RUN = "openai-1"


@pytest.fixture(scope="module")
def tape() -> list[Event]:
    """Typed and spoken turns, a function call and an interruption."""
    return openai(1)


@pytest.mark.parametrize("mode", PLAYED)
def test_a_replay_is_the_same_each_time(tape: list[Event], mode: str) -> None:
    runs = [replayed(tape, "openai", mode=mode) for _ in range(3)]
    for player, _ in runs:
        assert player.failure is None, player.report()
        assert player.used == player.total
    assert runs[0][1] == runs[1][1] == runs[2][1]


@pytest.mark.parametrize("mode", ["causal", "strict"])
def test_a_replay_has_the_order_of_the_tape(tape: list[Event], mode: str) -> None:
    assert digest(replayed(tape, "openai", mode=mode)[1], "openai") == digest(tape, "openai")


def test_a_strict_replay_is_the_tape_event_by_event(tape: list[Event]) -> None:
    _, again = replayed(tape, "openai", mode="strict")
    assert [(each.at_ns, each.body) for each in again] == [(each.at_ns, each.body) for each in tape]


def test_in_a_timed_replay_each_message_has_its_time(tape: list[Event]) -> None:
    _, again = replayed(tape, "openai", mode="timed")
    assert sorted((each.at_ns, each.body) for each in again) == sorted(
        (each.at_ns, each.body) for each in tape
    )


@pytest.fixture(scope="module")
def here() -> list[tuple[str, str]]:
    """The digests in this process, which has a hash seed of its own."""
    return digests(RUN)


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_the_process_and_the_hash_seed_do_not_count(
    hash_seed: str, here: list[tuple[str, str]]
) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(
        [sys.executable, str(HERE / "taped_client.py"), RUN],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [tuple(line.split()) for line in done.stdout.splitlines()]
    assert lines == [(RUN, *each) for each in here]
