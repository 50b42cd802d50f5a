"""`record show --follow` beside a writer that is at work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner
from tapes import SECRETS

from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.cli import cli
from recorder.clock import SystemClock
from recorder.store import open_store

_PAUSE_S = 0.05
_PIECES = 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "live.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    with closing(open_store(str(path), create=True)) as store:
        made = Writer(store, SystemClock(), SECRETS)
        made.start()
        yield made
        made.close()


def _say(tape: Tape, channel: int, number: int) -> None:
    body = json.dumps({"type": "response.output_text.delta", "delta": f"piece {number} "})
    tape.record(channel, "provider", "ws.text", "", body.encode())


def _talk(tape: Tape, pause: Event) -> None:
    channel = tape.channel("ws", "/v1/realtime")
    for number in range(_PIECES):
        _say(tape, channel, number)
        pause.wait(_PAUSE_S)
    tape.end()


@pytest.mark.parametrize("flags", [["--json"], ["--raw", "--json"], []])
def test_follow_tells_every_event_and_ends(writer: Writer, path: Path, flags: list[str]) -> None:
    tape = writer.open("openai", "live")
    writer.flush()
    talking = Thread(target=_talk, args=(tape, Event()))
    talking.start()
    words = ["show", tape.session, "--follow", "--store", str(path), *flags]
    result = CliRunner().invoke(cli, words)
    talking.join()
    assert result.exception is None
    for number in range(_PIECES):
        assert result.stdout.count(f"piece {number}") == 1
    if flags:
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert [line["seq"] for line in lines] == list(range(1, _PIECES + 1))


def test_follow_ends_in_order_when_interrupted(writer: Writer, path: Path) -> None:
    tape = writer.open("openai", "live")
    _say(tape, tape.channel("ws", "/v1/realtime"), 0)
    writer.flush()
    words = ["show", "last", "--follow", "--json", "--store", str(path)]
    code = "from recorder.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["seq"] == 1
        following.send_signal(signal.SIGINT)
        _, error = following.communicate(timeout=20)
    assert (following.returncode, error) == (0, "")
