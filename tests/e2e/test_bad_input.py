"""Each bad input gives one line that tells cause and remedy, exit code 2, and no traceback."""

from __future__ import annotations

import ctypes
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import Ended, read, run

from recorder.cli import main as record_main
from replay.cli import main as replay_main

_DROP_FROM_BOUNDING_SET = 24  # prctl(2)
_OVERRIDES = (1, 2, 3)  # capabilities(7): DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER

FRAMES = [
    {"dir": "server", "event": {"type": "session.created", "session": {"id": "sess_1"}}},
    {"dir": "client", "event": {"type": "response.create"}},
    {"dir": "server", "event": {"type": "response.done", "response": {"id": "resp_1"}}},
]


@dataclass
class Bad:
    """A folder of inputs that are wrong, next to a store with two sessions that is not."""

    folder: Path
    store: str
    port: int

    def words(self, line: str) -> list[str]:
        """The words of a command line with the names of this folder put in."""
        names = {"DIR": str(self.folder), "STORE": self.store, "BUSY": f"127.0.0.1:{self.port}"}
        words = line.split(" ")
        for name, value in names.items():
            words = [word.replace(name, value) for word in words]
        return words


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bad]:
    folder = tmp_path_factory.mktemp("bad")
    lines = "".join(json.dumps(frame) + "\n" for frame in FRAMES)
    (folder / "whole.jsonl").write_text(lines)
    (folder / "cut.jsonl").write_text(lines[:-20])
    (folder / "words.txt").write_text("Dear diary\n")
    store = folder / "good.db"
    for _ in range(2):
        read("recorder", "import", str(folder / "whole.jsonl"), "--store", str(store))
    read("recorder", "export", "last", str(folder / "cut"), "--store", str(store))
    events = folder / "cut" / "events.jsonl"
    events.write_bytes(events.read_bytes()[:-30])
    shutil.copy(store, folder / "newer.db")
    with sqlite3.connect(folder / "newer.db") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    with socket.create_server(("127.0.0.1", 0)) as busy:
        yield Bad(folder, str(store), busy.getsockname()[1])


def assert_refused(ended: Ended, program: str, *said: str) -> None:
    name = {"recorder": "record", "replay": "replay"}[program]
    assert ended.code == 2, ended
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.err.startswith(name)
    for words in said:
        assert words in ended.err


CASES = {
    "not a database": (
        "recorder proxy --store DIR/words.txt --listen 127.0.0.1:0 --no-check-upstream",
        "not an SQLite database: name another file with --store",
    ),
    "not a database, read": (
        "recorder sessions --store DIR/words.txt",
        "not an SQLite database: name another file with --store",
    ),
    "not a database, replay": (
        "replay serve last --store DIR/words.txt",
        "not an SQLite database: name another file with --store",
    ),
    "newer schema": (
        "recorder proxy --store DIR/newer.db --listen 127.0.0.1:0 --no-check-upstream",
        "has the schema 9999, which is newer than this program",
    ),
    "newer schema, read": (
        "recorder show last --store DIR/newer.db",
        "has the schema 9999, which is newer than this program",
    ),
    "folder": ("recorder verify --store DIR", "a folder: name a file in it with --store"),
    "no store": ("replay serve last --store DIR/none.db", "no such store", "--store"),
    "other kind of store": ("recorder sessions --store mysql://x/y", "sqlite:///PATH"),
    "port in use": (
        "recorder proxy --store STORE --listen BUSY --no-check-upstream",
        "cannot listen on BUSY: ",
        "choose another address with --listen HOST:PORT",
    ),
    "port in use, replay": (
        "replay serve last --store STORE --listen BUSY",
        "cannot listen on BUSY: ",
        "choose another address with --listen HOST:PORT",
    ),
    "port in use, simulate": (
        "replay simulate openai --listen BUSY",
        "cannot listen on BUSY: ",
        "choose another address with --listen HOST:PORT",
    ),
    "upstream unreachable": (
        "recorder proxy --store STORE --listen 127.0.0.1:0 --openai-url http://127.0.0.1:1",
        "cannot reach the upstream http://127.0.0.1:1: ",
        "--no-check-upstream",
    ),
    "upstream of nobody": (
        "recorder proxy --store STORE --upstream acme=http://127.0.0.1:1",
        "unknown provider 'acme': known are openai, ",
    ),
    "upstream no URL": (
        "recorder proxy --store STORE --openai-url http://127.0.0.1:99999 --no-check-upstream",
        "--openai-url is not a URL: give http(s)://HOST[:PORT][/PREFIX]",
    ),
    "unknown session": (
        "recorder show nope --store STORE",
        "no session 'nope': `record sessions` lists",
    ),
    "unknown session, replay": (
        "replay serve last~9 --store STORE",
        "there is no last~9: the store has 2 sessions",
    ),
    "ambiguous prefix": (
        "recorder verify 0 --store STORE",
        "'0' fits 2 sessions",
        "give more characters",
    ),
    "ambiguous prefix, replay": (
        "replay digest 0 --store STORE",
        "'0' fits 2 sessions",
        "give more characters",
    ),
    "import cut off": (
        "recorder import DIR/cut.jsonl --store STORE",
        "cut.jsonl line 3: not whole JSON",
        "(nothing was imported)",
    ),
    "import folder cut off": (
        "recorder import DIR/cut --store DIR/others.db",
        "events.jsonl line 3",
        "(nothing was imported)",
    ),
    "import of what is no recording": (
        "recorder import DIR/words.txt --store STORE",
        "words.txt",
        "--format",
    ),
    "speed": ("replay serve last --store STORE --speed fast", "'fast' is not a speed", "max"),
    "speed of nothing": ("replay serve last --store STORE --speed 0", "'0' is not a speed"),
    "listen": (
        "replay simulate openai --listen 8080",
        "'8080' is not HOST:PORT, such as 127.0.0.1:8080",
        "`replay simulate --help`",
    ),
    "TLS certificate missing": (
        "recorder proxy --store STORE --no-check-upstream --tls-cert DIR/none.pem",
        "none.pem: there is no such file",
    ),
    "TLS key alone": (
        "recorder proxy --store STORE --no-check-upstream --tls-key DIR/words.txt",
        "--tls-key needs --tls-cert",
    ),
    "TLS of no certificate": (
        "replay simulate openai --tls-cert DIR/words.txt",
        "words.txt does not hold a PEM certificate with its key",
    ),
    "provider": ("replay simulate nobody", "'nobody' is not", "openai"),
    "provider of an import": (
        "recorder import DIR/whole.jsonl --provider nobody --store STORE",
        "unknown provider 'nobody': known are openai",
    ),
}


@pytest.fixture
def here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a command to its end, in this process."""

    def run_here(program: str, *words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", [program, *words])
        with pytest.raises(SystemExit) as stopped:
            {"recorder": record_main, "replay": replay_main}[program]()
        assert isinstance(stopped.value.code, int)
        return Ended(stopped.value.code, *capsys.readouterr())

    return run_here


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_line(bad: Bad, case: str, here: Callable[..., Ended]) -> None:
    line, *said = CASES[case]
    program, *words = bad.words(line)
    said = [text.replace("BUSY", f"127.0.0.1:{bad.port}") for text in said]
    assert_refused(here(program, *words), program, *said)


@pytest.mark.parametrize("case", ["port in use, simulate", "ambiguous prefix"])
def test_refused_as_a_process(bad: Bad, case: str) -> None:
    line, *_ = CASES[case]
    program, *words = bad.words(line)
    assert_refused(run("recorder" if program == "recorder" else "replay", *words), program)


def test_nothing_is_left_behind(bad: Bad, here: Callable[..., Ended]) -> None:
    """A refused import adds nothing, and a store that must exist is not made."""
    before = read("recorder", "sessions", "--json", "--store", bad.store)
    assert here("recorder", *bad.words("import DIR/cut.jsonl --store STORE")).code == 2
    assert read("recorder", "sessions", "--json", "--store", bad.store) == before
    assert here("replay", *bad.words("serve last --store DIR/fresh.db")).code == 2
    assert not (bad.folder / "fresh.db").exists()


def without_override() -> None:
    """Make file modes hold for root too, in the process that is about to start."""
    libc = ctypes.CDLL(None)
    for capability in _OVERRIDES:
        libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are those of Linux")
@pytest.mark.parametrize("command", ["proxy", "import DIR/whole.jsonl"])
def test_read_only_file(bad: Bad, command: str) -> None:
    file = bad.folder / "kept.db"
    shutil.copy(bad.store, file)
    file.chmod(0o400)
    probe = [sys.executable, "-ISc", f"open({str(file)!r}, 'r+b')"]
    could = subprocess.run(probe, stderr=subprocess.DEVNULL, preexec_fn=without_override)
    if could.returncode == 0:
        pytest.skip("this user may write any file")
    kept = file.read_bytes()
    more = "--store DIR/kept.db" + (" --no-check-upstream" if command == "proxy" else "")
    ended = run("recorder", *bad.words(f"{command} {more}"), preexec=without_override)
    assert_refused(ended, "recorder", "read-only", "writable", "--store")
    assert file.read_bytes() == kept
    if command == "proxy":
        return  # the file is as it was, so that one reading of it is enough
    seen = run("recorder", *bad.words("sessions --store DIR/kept.db"), preexec=without_override)
    assert (seen.code, seen.err) == (0, "")
