"""Run `record` on a store with three sessions, and see how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner
from tapes import Take

from recorder.cli import cli
from recorder.errors import RecorderError

RAW = [
    Take(0, 1, "client", "ws.binary", "", b"\xff\x00\xfe"),
    Take(1, 1, "client", "ws.text", "", b'{"b": 1,  "a":"\\u00e9 \xc3\xa9"}'),
    Take(1, 1, "client", "ws.text", "", b"\xed\xa0\x80"),
    Take(2, 1, "provider", "ws.ping", "", b""),
]


@dataclass
class Kept:
    """A store with three sessions: `spoken`, `raw`, and one left by a dead writer."""

    path: Path
    spoken: str
    raw: str
    left: str


@dataclass
class Ended:
    """How a command ended: what it printed, and its exit code."""

    out: str
    code: int
    error: str


def run(kept: Kept | Path, *words: str, stdin: str | None = None) -> Ended:
    path = kept.path if isinstance(kept, Kept) else kept
    result = CliRunner().invoke(cli, [*words, "--store", str(path)], input=stdin)
    if isinstance(result.exception, RecorderError):
        return Ended(result.stdout, result.exception.exit_code, str(result.exception))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ended(result.stdout, result.exit_code, result.stderr)


def out(kept: Kept | Path, *words: str, stdin: str | None = None) -> str:
    ended = run(kept, *words, stdin=stdin)
    assert ended.code == 0, ended
    return ended.out
