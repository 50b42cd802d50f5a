"""Faults behind real sockets, as clients see them, on the tape of the replay, and by command."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from click.testing import CliRunner
from faulting import plan, turn
from replaying import OPENAI, player
from tapes import Take, record
from websockets.exceptions import ConnectionClosed, InvalidStatus

from recorder.clock import SystemClock
from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead
from recorder.recording import Recording
from recorder.store import open_store
from replay.cli import cli
from replay.faults import FaultyReplay
from replay.server import MachineServer
from tests.replay.commands.listening import Command

JSON = (("Content-Type", "application/json"),)
QUERY = "/openai/v1/realtime?model=gpt-realtime"
ANSWER = b'{"value":"' + b"x" * 190 + b'"}'


def exchange() -> list[Take]:
    name = "POST /v1/realtime/client_secrets"
    head = RequestHead("POST", "/v1/realtime/client_secrets", "", JSON).encode()
    return [
        Take(0, 1, "client", "http.request", name, head),
        Take(0, 1, "client", "http.chunk", name, b""),
        Take(5, 1, "provider", "http.response", "200", ResponseHead(200, "OK", JSON).encode()),
        Take(5, 1, "provider", "http.chunk", name, ANSWER),
        Take(5, 1, "provider", "http.chunk", name, b""),
    ]


ENDS = [("close@step=7 code=1013", 1013), ("break@step=7", None)]


class Served:
    """A tape behind a port, with faults."""

    def __init__(self, takes: list[Take], *texts: str) -> None:
        self.machine = FaultyReplay(player(takes), plan(texts), OPENAI)
        self._server = MachineServer(self.machine, SystemClock(), prefix="/openai")

    async def __aenter__(self) -> Served:
        server = await self._server.__aenter__()
        self.http = server.url + "/openai/v1/realtime/client_secrets"
        self.ws = "ws" + server.url.removeprefix("http") + QUERY
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()

    async def post(self, **options: Any) -> httpx.Response:
        async with httpx.AsyncClient() as http:
            return await http.post(self.http, headers=dict(JSON), **options)


@pytest.mark.parametrize(("text", "code"), ENDS)
async def test_a_client_sees_a_close_or_a_lost_connection(text: str, code: int | None) -> None:
    async with Served(turn().close().takes, text) as served:
        async with websockets.connect(served.ws) as socket:
            await socket.send('{"type":"response.create"}')
            for _ in range(3):
                await asyncio.wait_for(socket.recv(), 5)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(socket.recv(), 5)
        assert (closed.value.rcvd.code if closed.value.rcvd else None) == code
        assert served.machine.finished
        assert served.machine.report().startswith(f"replay ended by fault {text}")


async def test_a_client_sees_a_refused_and_a_lost_upgrade() -> None:
    faults = ("refuse@open status=503 nth=1", "break@open nth=2")
    async with Served(turn().close().takes, *faults) as it:
        with pytest.raises(InvalidStatus) as refused:
            await websockets.connect(it.ws)
        assert refused.value.response.status_code == 503
        with pytest.raises((EOFError, OSError, websockets.InvalidMessage)):
            await websockets.connect(it.ws)
        async with websockets.connect(it.ws) as socket:
            assert "session.created" in str(await asyncio.wait_for(socket.recv(), 5))


async def test_an_answer_arrives_in_pieces() -> None:
    async with Served(exchange(), "drip@POST /* rate=400") as served, httpx.AsyncClient() as http:
        begun = time.monotonic()
        async with http.stream("POST", served.http, headers=dict(JSON)) as response:
            arrived = [(time.monotonic() - begun, piece) async for piece in response.aiter_raw()]
    assert b"".join(piece for _, piece in arrived) == ANSWER
    assert len(arrived) >= 3
    assert arrived[-1][0] >= len(ANSWER) / 400 * 0.9


async def test_a_client_sees_a_refused_and_a_lost_request() -> None:
    faults = ("refuse@POST /* status=429 nth=1 retry-after=1", "break@POST /* nth=2")
    async with Served(exchange(), *faults) as served:
        refused = await served.post()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        with pytest.raises(httpx.RemoteProtocolError):
            await served.post()
        assert (await served.post()).content == ANSWER
        assert served.machine.report().startswith("replay complete")


# By command


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    with closing(open_store(url, create=True)) as store:
        record(store, turn().close().takes)
    return url


async def serve(store_url: str, *words: str) -> tuple[int, str]:
    """`replay serve` with a client that asks for one response, and its report."""
    async with Command("serve", "last", "--store", store_url, "--speed", "max", *words) as command:
        async with websockets.connect("ws" + command.url.removeprefix("http") + QUERY) as socket:
            await socket.send('{"type":"response.create"}')
            with suppress(ConnectionClosed):
                async with asyncio.timeout(10):
                    while json.loads(await socket.recv())["type"] != "response.done":
                        pass
        return await command.end()


def replayed(store_url: str) -> list[Event]:
    with closing(open_store(store_url, create=False, readonly=True)) as store:
        row = next(row for row in store.sessions() if row.parent)
        return list(Recording(store, row.id).events())


async def test_serve_with_a_fault_notes_it_on_the_new_tape(store_url: str, tmp_path: Path) -> None:
    faults = tmp_path / "faults.txt"
    faults.write_text("# the third word\ndrop@type=response.output_text.delta nth=3\n")
    words = ("--faults", str(faults), "--fault", "close@type=response.done code=1012")
    code, output = await serve(store_url, *words)
    assert code == 0, output
    assert "replay ended by fault close@type=response.done code=1012: response.done" in output
    assert "fault: drop@type=response.output_text.delta nth=3" in output
    events = replayed(store_url)
    notes = [at for at, event in enumerate(events) if event.kind == "note"]
    assert [events[at].sender for at in notes] == ["recorder"] * 2
    assert [events[at].type for at in notes] == ["fault"] * 2
    assert json.loads(events[notes[0]].body)["step"] == 8
    assert (events[notes[1] + 1].kind, events[notes[1] + 1].type) == ("ws.close", "1012")


async def test_a_fault_that_takes_nothing_is_reported_in_a_complete_replay(store_url: str) -> None:
    code, output = await serve(store_url, "--fault", "duplicate@type=session.created")
    assert code == 0, output
    assert "replay complete\nfault: duplicate@type=session.created: session.created" in output


def test_a_fault_that_is_none_ends_the_command(store_url: str, tmp_path: Path) -> None:
    from recorder.errors import RecorderError

    for words in (("--fault", "nothing@x"), ("--faults", str(tmp_path / "missing"))):
        result = CliRunner().invoke(cli, ("serve", "last", "--store", store_url, *words))
        assert isinstance(result.exception, RecorderError)
        assert "\n" not in str(result.exception)
    foreign = ("simulate", "openai", "--fault", "drop@webhook=*")
    result = CliRunner().invoke(cli, foreign)
    assert "posts no webhooks" in str(result.exception)
