"""What of a recording becomes a tape; the proxy itself is not run here."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from plugin_world import greeting
from tapes import WALL_NS, record
from vapi_replaying import Tape

from recorder.errors import RecorderError
from recorder.store import open_store
from replay.pytest_plugin.recording import NothingRecorded, Recording
from replay.pytest_plugin.settings import tape_mark
from replay.pytest_plugin.taped import Taped

pytest_plugins = ["pytester"]
S = 1_000_000_000
SOURCE = """
import pytest

@pytest.mark.tape("local")
def test_local(): pass

@pytest.mark.tape("abroad")
def test_abroad(): pass
"""


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path, "booking", [])


def fill(recording: Recording, *conversations: Any, status: Any = "complete") -> None:
    """Store conversations as a proxy would; those with `GET` are REST traffic."""
    with closing(open_store(str(recording.store), create=True)) as store:
        for number, name in enumerate(conversations):
            takes, provider, key = greeting(), "openai", f"sess_{number}"
            if name == "vapi rest":
                takes = Tape().ask("GET", "/assistant", None, []).takes
                provider, key = "vapi", None
            wall_ns = WALL_NS + number * S
            facts = {"external_id": key, "provider": provider, "status": status}
            record(store, takes, wall_ns=wall_ns, **facts)


def test_one_conversation_is_kept_once(recording: Recording, tmp_path: Path) -> None:
    fill(recording, "talk")
    assert "recorded" in recording.keep(tmp_path / "tapes" / "booking")
    with pytest.raises(NothingRecorded, match="is there already, and is kept as it is"):
        recording.keep(tmp_path / "tapes" / "booking")


def test_rest_traffic_alone_is_a_tape(recording: Recording, tmp_path: Path) -> None:
    fill(recording, "vapi rest")
    recording.keep(tmp_path / "booking")
    assert (tmp_path / "booking" / "session.json").exists()


def test_the_traffic_beside_a_deleted_tape_is_not_left_for_the_next(
    recording: Recording, tmp_path: Path
) -> None:
    stale = tmp_path / "booking.rest"
    stale.mkdir()
    (stale / "session.json").write_text("{}")
    fill(recording, "talk")
    recording.keep(tmp_path / "booking")
    assert not stale.exists()


@pytest.mark.parametrize(
    ("conversations", "said"),
    [
        ((), "nothing came to"),
        (("talk", "talk"), "held 2 conversations (openai sess_0, openai sess_1)"),
    ],
)
def test_what_is_not_one_conversation_is_not_kept(
    recording: Recording, tmp_path: Path, conversations: tuple[str, ...], said: str
) -> None:
    fill(recording, *conversations)
    with pytest.raises(NothingRecorded) as caught:
        recording.keep(tmp_path / "booking")
    assert said in str(caught.value)
    assert not (tmp_path / "booking").exists()


def test_a_recording_with_a_hole_is_not_kept(recording: Recording, tmp_path: Path) -> None:
    fill(recording, "talk", status="incomplete")
    with pytest.raises(NothingRecorded, match="the recording is incomplete"):
        recording.keep(tmp_path / "booking")


def test_without_the_upstream_nothing_begins(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "booking", ["--openai-url", "http://127.0.0.1:1"])
    with pytest.raises(RecorderError, match=r"cannot reach the upstream http://127\.0\.0\.1:1"):
        recording.start()


def test_a_test_that_reached_for_the_network_leaves_no_tape(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Though it swallowed the error, and passed."""

    def start(recording: Recording) -> None:
        recording.url = "http://127.0.0.1:1"
        fill(recording, "talk")

    monkeypatch.setattr(Recording, "start", start)
    monkeypatch.setenv("REPLAY_TAPE_MODE", "record")
    monkeypatch.delenv("CI", raising=False)
    pytester.makefile(".ini", pytest="[pytest]\nasyncio_default_fixture_loop_scope = function")
    local, abroad = pytester.getitems(SOURCE)
    for item, place in ((local, ("127.0.0.1", 1)), (abroad, ("192.0.2.1", 443))):
        mark = tape_mark(item)
        assert mark
        folder = tmp_path / mark.name
        folder.mkdir()
        taped = Taped(item, mark, lambda folder=folder: folder)  # type: ignore[misc]
        taped.begin()
        with pytest.raises((OSError, RecorderError)):
            socket.create_connection(place, timeout=1)
        failure = taped.end(passed=True)
        assert taped.folder.exists() is (item is local)
        assert (failure is None) is (item is local)
    assert "192.0.2.1:443, which is outside of its tape" in str(failure)
