"""The commands that read a store: what they print, and how they end."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from commandline import RAW, Kept, out, run
from tapes import conversation, tone

from recorder.chain import LINK_BYTES, SCHEME
from recorder.cli import cli
from recorder.commands.common import run as run_command_line
from recorder.store import open_store


def test_sessions_as_json(kept: Kept) -> None:
    spoken, raw, left = json.loads(out(kept, "sessions", "--json"))
    assert spoken == {
        "id": kept.spoken,
        "trial": "first-try",
        "provider": "openai",
        "external_id": "sess_0000000000000000000001",
        "model": "gpt-realtime",
        "status": "complete",
        "events": 60,
        "started_at": "2026-09-21T14:13:20.123Z",
        "duration_s": 6.732,
        "parent": None,
        "origin": "proxy",
    }
    assert (raw["id"], raw["model"], raw["origin"]) == (kept.raw, None, "import")
    assert (left["status"], left["events"]) == ("interrupted", 40)


def test_sessions_for_people(kept: Kept) -> None:
    heading, *rows = out(kept, "sessions").splitlines()
    assert heading.split()[:3] == ["SESSION", "STARTED", "(UTC)"]
    assert [row.split()[0] for row in rows] == [kept.spoken, kept.raw, kept.left]
    assert rows[0].split()[1:] == [
        *("2026-09-21", "14:13", "6.7", "s", "60", "complete", "first-try"),
        *("gpt-realtime", "openai", "proxy"),
    ]


def test_sessions_of_a_trial(kept: Kept) -> None:
    assert [
        one["id"] for one in json.loads(out(kept, "sessions", "--json", "--trial", "other"))
    ] == [kept.raw]
    assert "no sessions of trial 'none'" in out(kept, "sessions", "--trial", "none")


def test_an_option_has_an_environment_variable(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORD_SESSIONS_TRIAL", "other")
    assert len(out(kept, "sessions").splitlines()) == 2
    monkeypatch.setenv("RECORD_DB_INFO_JSON", "1")
    assert json.loads(out(kept, "db", "info"))["sessions"] == 3
    assert "[env var: RECORD_SHOW_ALL]" in out(kept, "show", "--help")


def test_an_empty_store_says_how_to_record(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    open_store(str(path), create=True).close()
    assert "record proxy --trial NAME" in out(path, "sessions")
    assert json.loads(out(path, "sessions", "--json")) == []
    assert "record proxy --trial NAME" in out(path, "verify")
    assert "record proxy --trial NAME" in run(path, "show", "last").error


def test_show_for_people(kept: Kept) -> None:
    text = out(kept, "show", "last~2")
    assert text.startswith(f"session {kept.spoken}  openai, gpt-realtime, complete, proxy\n")
    assert "input_audio_buffer.append             ×12  1.20 s at -15 dBFS\n" in text
    assert "─── 2.5 s ───" in text
    assert "Good morning." in text
    assert "\x1b" not in text
    assert len(out(kept, "show", kept.spoken, "--all").splitlines()) > len(text.splitlines()) + 20


def test_show_as_json(kept: Kept) -> None:
    lines = [json.loads(line) for line in out(kept, "show", kept.spoken, "--json").splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, 61))
    assert set(lines[0]) == {
        *("seq", "at_ms", "channel", "sender", "kind", "type", "text", "audio")
    }
    appended = next(line for line in lines if line["audio"])
    assert appended["audio"]["duration_ms"] == 100
    assert appended["at_ms"] == 60


def test_show_raw_gives_the_wire_content(kept: Kept) -> None:
    lines = [
        json.loads(line) for line in out(kept, "show", kept.raw, "--raw", "--json").splitlines()
    ]
    heads = ["seq", "at_ns", "channel", "sender", "kind", "type"]
    assert [list(line) for line in lines] == [
        [*heads, "base64"],
        [*heads, "text"],
        [*heads, "base64"],
        [*heads, "text"],
    ]
    bodies = [
        line["text"].encode() if "text" in line else base64.b64decode(line["base64"])
        for line in lines
    ]
    assert bodies == [take.body for take in RAW]
    assert [line["at_ns"] for line in lines] == [int(take.at_ms * 1e6) for take in RAW]


def test_show_raw_restores_audio(kept: Kept) -> None:
    lines = out(kept, "show", kept.spoken, "--raw", "--json").splitlines()
    bodies = [json.loads(line)["text"].encode() for line in lines]
    assert bodies == [take.body for take in conversation(interrupted=True)]


def test_raw_alone_is_a_usage_error(kept: Kept) -> None:
    ended = run(kept, "show", "last", "--raw")
    assert (ended.code, "--raw goes with --json" in ended.error) == (2, True)


def test_follow_ends_with_the_session(kept: Kept) -> None:
    for flags in ([], ["--json"], ["--raw", "--json"]):
        followed = out(kept, "show", kept.spoken, "--follow", *flags)
        assert followed == out(kept, "show", kept.spoken, *flags)


@pytest.mark.parametrize(
    ("name", "message"),
    [("zzz", "no session 'zzz'"), ("last~9", "there is no last~9"), ("01m", "fits 3 sessions")],
)
@pytest.mark.parametrize("words", [["show"], ["verify"], ["audio", "-o", "x.wav"]])
def test_a_session_that_cannot_be_told(
    kept: Kept, words: list[str], name: str, message: str
) -> None:
    ended = run(kept, *words, name)
    assert ended.code == 2
    assert message in ended.error
    assert "\n" not in ended.error


@pytest.mark.parametrize(
    "words", [["sessions"], ["show", "last"], ["verify"], ["sql", "SELECT 1"], ["db", "info"]]
)
def test_a_store_that_is_not_there(tmp_path: Path, words: list[str]) -> None:
    ended = run(tmp_path / "none.db", *words)
    assert (ended.code, "no such store" in ended.error) == (2, True)
    assert not (tmp_path / "none.db").exists()


def test_verify_says_one_line_each(kept: Kept) -> None:
    spoken, raw, left = out(kept, "verify").splitlines()
    assert spoken.startswith(f"ok  {kept.spoken}  60 events, 3.7 s audio, ")
    assert raw.startswith(f"ok  {kept.raw}  4 events, 0.0 s audio, ")
    assert left.startswith(f"interrupted, intact  {kept.left}  40 events, ")


def test_verify_as_json(kept: Kept) -> None:
    (found,) = json.loads(out(kept, "verify", kept.spoken, "--json"))
    assert {name: found[name] for name in ("id", "status", "ok", "events", "fault")} == {
        "id": kept.spoken,
        "status": "complete",
        "ok": True,
        "events": 60,
        "fault": None,
    }
    assert len(bytes.fromhex(found["digest"])) == LINK_BYTES[SCHEME]


def _tampered(kept: Kept, folder: Path) -> Path:
    path = folder / "tampered.db"
    path.write_bytes(kept.path.read_bytes())
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TRIGGER tape_event_delete")
        number = "(SELECT number FROM session WHERE id = ?)"
        db.execute(f"DELETE FROM tape_event WHERE session = {number} AND seq = 9", (kept.spoken,))
    return path


def test_verify_fails_with_exit_code_1(kept: Kept, tmp_path: Path) -> None:
    path = _tampered(kept, tmp_path)
    ended = run(path, "verify")
    assert (ended.code, ended.error) == (1, "1 of 3 sessions failed")
    assert ended.out.splitlines()[0] == f"FAILED  {kept.spoken}  event 9 was lost"
    (found,) = json.loads(run(path, "verify", kept.spoken, "--json").out)
    assert found["fault"] == {
        "kind": "lost",
        "text": "event 9 was lost",
        "event": 9,
        "segment": None,
    }
    assert run(path, "verify", kept.raw).code == 0


def test_audio_writes_both_sides(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "both.wav"
    said = out(kept, "audio", kept.spoken, "-o", str(path))
    assert said == f"{path}: 6.7 s at 24000 Hz, client left, provider right\n"
    frames, rate = soundfile.read(path, dtype="int16")
    assert (rate, frames.shape[1]) == (24_000, 2)
    start = int(0.06 * rate)
    assert np.array_equal(frames[start : start + 28_800, 0], np.frombuffer(tone(1200), "<i2"))
    right = np.flatnonzero(frames[:, 1])[[0, -1]] / rate
    assert right == pytest.approx([2.11, 2.42], abs=0.001)  # cut off where the client truncated


def test_audio_at_another_rate(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    out(kept, "audio", kept.spoken, "-o", str(path), "--rate", "8000")
    frames, rate = soundfile.read(path)
    assert rate == 8_000
    assert len(frames) / rate == pytest.approx(6.732, abs=0.001)


def test_audio_that_cannot_be_written(kept: Kept, tmp_path: Path) -> None:
    assert "has no audio" in run(kept, "audio", kept.raw, "-o", str(tmp_path / "x.wav")).error
    ended = run(kept, "audio", kept.spoken, "-o", str(tmp_path / "none" / "x.wav"))
    assert (ended.code, "cannot write" in ended.error) == (2, True)


_READERS = ("sessions", "show", "verify", "audio", "sql", "db", "db info", "db backup")


@pytest.mark.parametrize("name", _READERS)
def test_help_ends_its_words_with_an_example(name: str) -> None:
    text = CliRunner().invoke(cli, [*name.split(), "--help"]).stdout
    words = text.split("\nOptions:")[0].strip()
    assert words.split("\n\n")[-1].strip().startswith(f"Example: record {name.split()[0]} ")


_HEAVY = ("sqlalchemy", "alembic", "numpy", "soundfile", "aiohttp", "httpx", "websockets")


@pytest.mark.parametrize("words", [["--help"], ["sessions", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys, atexit\n"
        "from recorder.cli import main\n"
        "atexit.register(lambda: print(*sorted(sys.modules)))\n"
        f"sys.argv = ['record', *{words!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "click" in loaded
    assert loaded.isdisjoint(_HEAVY)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["sessions", "--store", "none.db"], 2, "record: none.db: no such store"),
        (["show"], 2, "Missing argument 'SESSION'"),
        (["nothing"], 2, "No such command 'nothing'"),
    ],
)
def test_exit_codes(
    words: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["record", *words])
    with pytest.raises(SystemExit) as caught:
        run_command_line(cli, "record")
    assert caught.value.code == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
