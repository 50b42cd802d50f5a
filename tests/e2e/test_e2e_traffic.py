"""Conversations with the live service, where `RECORDER_TRAFFIC` names a folder of them.

Each comes in, verifies, can be read, goes out and in again unchanged, and its replay satisfies a
client that sends what the recorded client sent.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest
from harness import Service, read, run, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

_FOLDER = os.environ.get("RECORDER_TRAFFIC")
_FILES = sorted(Path(_FOLDER, "openai").glob("*.json*")) if _FOLDER else []
_SOCKETS = [path for path in _FILES if path.suffix == ".jsonl"]
pytestmark = pytest.mark.skipif(not _FILES, reason="RECORDER_TRAFFIC names no openai/*.json*")


def _name(path: Path) -> str:
    return path.stem


def _import(store: str, path: Path) -> None:
    ended = run("recorder", "import", str(path), "--store", store)
    assert ended.code == 0, ended


def _tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("path", _FILES, ids=_name)
def test_it_comes_in_and_goes_out_unchanged(path: Path, tmp_path: Path) -> None:
    first, second = str(tmp_path / "one.db"), str(tmp_path / "two.db")
    _import(first, path)
    assert run("recorder", "verify", "--store", first).code == 0
    shown = read("recorder", "show", "last", "--all", "--store", first)
    lines = [line for line in shown.splitlines() if " → " in line or " ← " in line]
    assert (
        len(lines)
        == json.loads(read("recorder", "sessions", "--json", "--store", first))[0]["events"]
    )
    read("recorder", "export", "last", str(tmp_path / "one"), "--store", first)
    _import(second, tmp_path / "one")
    read("recorder", "export", "last", str(tmp_path / "two"), "--store", second)
    assert _tree(tmp_path / "one") == _tree(tmp_path / "two")
    assert run("recorder", "verify", "--store", second).code == 0


@pytest.mark.parametrize("path", _SOCKETS, ids=_name)
def test_replay_satisfies_the_recorded_client(path: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "tape.db")
    _import(store, path)
    script = _frames(store)
    digests = set()
    for tape in ("last", "last"):  # which is never the tape of a replay
        with serve(store, tape, "max") as service:
            got = _play(service, script)
            ended = service.ended()
        assert ended.code == 0, ended
        assert "replay complete" in ended.out
        assert got == [text for sender, text in script if sender == "provider"]
        digests.add(read("replay", "digest", "last", "--store", store))
    assert len(digests) == 1


def _frames(store: str) -> list[tuple[str, str]]:
    """Who said what, in the order of the tape."""
    lines = read("recorder", "show", "last", "--raw", "--json", "--store", store).splitlines()
    events = [json.loads(line) for line in lines]
    return [(each["sender"], each["text"]) for each in events if each["kind"] == "ws.text"]


def _play(service: Service, script: list[tuple[str, str]]) -> list[str]:
    """Send each client frame once as many provider frames have come as before it on the tape."""
    got: list[str] = []
    url = f"ws{service.url.removeprefix('http')}/openai/v1/realtime?model=gpt-realtime"
    with connect(url, additional_headers={"Authorization": "Bearer x"}, max_size=None) as socket:
        for sender, text in script:
            if sender == "client":
                socket.send(text)
            else:
                try:
                    got.append(str(socket.recv(20)))
                except ConnectionClosed:
                    break
    return got


def test_replay_of_an_sdp_exchange(tmp_path: Path) -> None:
    (path,) = (path for path in _FILES if "sdp" in path.name)
    store = str(tmp_path / "tape.db")
    _import(store, path)
    lines = read("recorder", "show", "last", "--raw", "--json", "--store", store).splitlines()
    events = [json.loads(line) for line in lines]
    channels = {event["channel"] for event in events}
    with serve(store, "last", "max") as service:
        for channel in sorted(channels):
            mine = [event for event in events if event["channel"] == channel]
            heads = {
                each["kind"]: json.loads(each["text"])
                for each in mine
                if "chunk" not in each["kind"]
            }
            sent, told = (
                "".join(e["text"] for e in mine if e["kind"] == "http.chunk" and e["sender"] == who)
                for who in ("client", "provider")
            )
            request, response = heads["http.request"], heads["http.response"]
            answer = httpx.request(
                request["method"],
                f"{service.url}/openai{request['path']}",
                params=request["query"] or None,
                headers=[
                    each for each in request["headers"] if each[0].lower() != "content-length"
                ],
                content=sent,
                trust_env=False,
            )
            assert (answer.status_code, answer.text) == (response["status"], told)
        ended = service.ended()
    assert ended.code == 0, ended
