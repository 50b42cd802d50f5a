"""Replays in threads of their own: side by side, with webhooks, and at their end."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import websockets
from plugin_world import greeting, keep
from tapes import Take
from vapi_replaying import Tape
from websockets.sync.client import connect

from recorder.clock import SystemClock
from recorder.errors import RecorderError
from recorder.redact import Secrets
from replay.appenv import free_port
from replay.kept import read_kept
from replay.playing import Manner
from replay.pytest_plugin.playing import Playing

PATH = "/openai/v1/realtime?model=gpt-realtime"


@contextmanager
def playing(
    folder: Path, takes: list[Take], provider: str = "openai", **options: Any
) -> Iterator[Playing]:
    """A replay of a conversation, from a folder."""
    keep(folder, takes, provider=provider)
    kept = read_kept(folder, SystemClock(), {})
    manner = Manner(webhook_to=options.pop("webhook_to", None))
    play = Playing(kept, manner, (), Secrets(b"", ()), delivers=options.get("delivers", False))
    play.start()
    try:
        yield play
    finally:
        play.stop()


def update(text: str) -> str:
    return json.dumps(
        {"type": "session.update", "session": {"type": "realtime", "instructions": text}}
    )


def talk(url: str, text: str) -> None:
    with connect(f"ws{url.removeprefix('http')}{PATH}") as socket:
        socket.recv(10)
        socket.send(update(text))
        socket.recv(10)


async def atalk(url: str, text: str) -> None:
    async with websockets.connect(f"ws{url.removeprefix('http')}{PATH}") as socket:
        await socket.recv()
        await socket.send(update(text))
        await socket.recv()


def test_replays_side_by_side_do_not_mix(tmp_path: Path) -> None:
    """Eight tapes that differ, half of them played from threads, half from tasks."""
    names = [f"{number}." for number in range(8)]
    with ExitStack() as stack:
        plays = [stack.enter_context(playing(tmp_path / name[0], greeting(name))) for name in names]
        assert len({play.url for play in plays}) == len(plays)
        with ThreadPoolExecutor() as pool:
            list(pool.map(talk, (play.url for play in plays[:4]), names))

        async def tasks() -> None:
            async with asyncio.TaskGroup() as group:
                for play, name in zip(plays[4:], names[4:], strict=True):
                    group.create_task(atalk(play.url, name))

        asyncio.run(tasks())
        for play in plays:
            assert play.wait(10)
            play.leave()
            assert not play.failed()
            assert tuple(play.tally()) == (3, 3)


def test_what_is_left_when_the_test_ends_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.pytest_plugin.playing._SETTLE_S", 0.05)
    with playing(tmp_path / "a", greeting()) as play:
        with connect(f"ws{play.url.removeprefix('http')}{PATH}") as socket:
            socket.recv(10)
            assert not play.wait(0.01)
            assert play.report().startswith("the replay is not over")
            play.leave()
        assert play.failed()
        assert "replay failed: the client closed (1000) before" in play.report()


class Hooks(BaseHTTPRequestHandler):
    """Answers every webhook in the same way."""

    answer: Any = None

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("result", ["rain", "sun"])
def test_webhooks_come_to_a_server_that_begins_to_listen_later(tmp_path: Path, result: str) -> None:
    def told(result: str) -> Any:
        return {"results": [{"toolCallId": "a", "result": result}]}

    tape = Tape().create().wait(10).hook("tool-calls", told("rain"))
    port = free_port()
    with playing(
        tmp_path / "call", tape.takes, "vapi", webhook_to=f"http://127.0.0.1:{port}"
    ) as play:
        asked = {"assistantId": "a", "transport": {"provider": "vapi.websocket"}}
        urllib.request.urlopen(
            urllib.request.Request(
                f"{play.url}/vapi/call",
                json.dumps(asked).encode(),
                {"content-type": "application/json"},
            )
        )
        assert not play.wait(0.2), "nobody listens yet"
        handler = type("Handler", (Hooks,), {"answer": told(result)})
        with HTTPServer(("127.0.0.1", port), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            assert play.wait(10)
            server.shutdown()
            thread.join()
        play.leave()
        assert play.failed() is (result == "sun")
        assert ("the answer to webhook step" in play.report()) is (result == "sun")


def test_webhooks_that_no_application_answered_need_none(tmp_path: Path) -> None:
    tape = Tape().create().wait(10).hook("status-update", by="recorder")
    with playing(tmp_path / "a", tape.takes, "vapi", webhook_to="http://127.0.0.1:1") as play:
        asked = {"assistantId": "a", "transport": {"provider": "vapi.websocket"}}
        request = urllib.request.Request(f"{play.url}/vapi/call", json.dumps(asked).encode())
        request.add_header("content-type", "application/json")
        urllib.request.urlopen(request)
        assert play.wait(10)
        assert not play.failed()


def test_an_empty_tape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecorderError, match="nothing to replay"), playing(tmp_path / "a", []):
        pass
