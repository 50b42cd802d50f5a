"""A run in virtual time has one digest: in any process, order, load, and with any hash seed.

Other versions of Python are asked if they are there (`python3.12`, … on the path) and have the
packages; REPLAY_PYTHONS names more of them, separated by colons.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from replaying import BOOK, OPENAI
from virtual_runs import RUNS, digests, openai

from replay.digest import tape_digest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAMES = list(RUNS)
EXPECTED: dict[str, tuple[str, str]] = {}
OTHERS = [f"python3.{minor}" for minor in range(11, 16) if minor != sys.version_info.minor]
OTHERS += [name for name in os.environ.get("REPLAY_PYTHONS", "").split(":") if name]


@pytest.fixture
def expected() -> dict[str, tuple[str, str]]:
    """The digests of each run in this process."""
    if not EXPECTED:
        EXPECTED.update((name, digests(name)) for name in NAMES)
    return EXPECTED


def elsewhere(
    names: Sequence[str], hash_seed: str = "0", python: str = sys.executable
) -> dict[str, tuple[str, str]]:
    """The digests of runs in another process, in this order."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, str(HERE / "virtual_runs.py"), *names],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    return {name: (plain, ordered) for name, plain, ordered in lines}


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Keep processors busy, with what gives way to other tests."""
    program = "import os; os.nice(19)\nwhile True: pass"
    busy = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def test_the_runs_are_what_they_are_for(expected: dict[str, tuple[str, str]]) -> None:
    said = b" ".join(event.body for event in openai(1) if event.sender == "client")
    for what in (b"conversation.item.truncate", b"function_call_output"):
        assert what in said
    assert len({digest for pair in expected.values() for digest in pair}) == 2 * len(NAMES)


def test_a_run_can_be_made_again_in_the_same_process(expected: dict[str, tuple[str, str]]) -> None:
    order = NAMES * 2
    random.Random(4).shuffle(order)
    assert [digests(name) for name in order] == [expected[name] for name in order]


@pytest.mark.parametrize("hash_seed", ["1", "4242", "random"])
def test_the_hash_seed_the_process_and_the_order_do_not_count(
    expected: dict[str, tuple[str, str]], hash_seed: str
) -> None:
    order = NAMES[::-1] if hash_seed == "1" else NAMES
    assert elsewhere(order, hash_seed) == expected


def test_the_load_of_the_machine_does_not_count(expected: dict[str, tuple[str, str]]) -> None:
    with load((os.cpu_count() or 1) + 1):
        assert elsewhere(NAMES) == expected


@pytest.mark.parametrize("python", OTHERS)
def test_the_version_of_python_does_not_count(
    expected: dict[str, tuple[str, str]], python: str
) -> None:
    found = shutil.which(python)
    if found is None:
        pytest.skip(f"{python} is not on the path")
    needed = "import aiohttp, click, httpx, numpy, pybase64, soundfile, sqlalchemy"
    has_all = subprocess.run([found, "-c", needed], capture_output=True, text=True, check=False)
    if has_all.returncode:
        said = has_all.stderr.splitlines()
        why = next((line for line in said if "Error" in line), said[0])
        pytest.skip(f"{python} lacks a package, or is none: {why}")
    assert elsewhere(NAMES, python=found) == expected


def test_one_event_less_is_another_digest() -> None:
    events = openai(1)
    done = next(event for event in events if event.type == "response.done")
    less = [event for event in events if event is not done]
    assert tape_digest(less, OPENAI, BOOK).digest != tape_digest(events, OPENAI, BOOK).digest
