"""The wrapped connections: what the program sends and reads is on the tape, byte for byte."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from socket import SHUT_RDWR
from threading import Thread

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from recorder.capture.hooks import Recorder
from recorder.errors import StoreError
from recorder.events import Event
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify

KEY = "sk-proj-4XmR9vTq2LwZ7sKd1BnY"
ODD = '{"type":"response.create",  "n":1.0, "n":1e0, "s":"\\u00e9\\/é\\ud83d\\ude00"}'


def _provider(connection: ServerConnection) -> None:
    """Echoes; `bye` closes with 4000, `drop` cuts the connection."""
    for message in connection:
        if message == "bye":
            connection.close(4000, "as asked")
        elif message == "drop":
            connection.socket.shutdown(SHUT_RDWR)
        else:
            connection.send(message)


def _chosen(connection: ServerConnection, offers: Sequence[Subprotocol]) -> Subprotocol | None:
    return offers[0] if offers else None


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    server: Server
    with serve(_provider, "127.0.0.1", 0, select_subprotocol=_chosen) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/realtime?model=m-1"
        server.shutdown()
    thread.join()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tapes.db'}"


def _tapes(url: str) -> list[list[Event]]:
    """The events of each session, all of them verified and ended in order."""
    with closing(open_store(url, create=False, readonly=True)) as store:
        rows = store.sessions()
        assert [verify(store, row).fault for row in rows] == [None] * len(rows)
        assert {row.status for row in rows} <= {"complete"}
        return [list(Recording(store, row.id).events()) for row in rows]


def _said(events: list[Event]) -> list[tuple[str, str, bytes]]:
    return [(event.sender, event.kind, event.body) for event in events[2:]]


def _closed(sender: str, code: int, reason: str = "") -> tuple[str, str, bytes]:
    return sender, "ws.close", Close(code, reason).encode()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_synchronous_connection(url: str, provider: str) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    with Recorder(url) as recorder:
        inner = connect(
            provider, additional_headers=headers, subprotocols=[Subprotocol("realtime")]
        )
        with recorder.wrap(inner) as ws:
            assert ws.subprotocol == "realtime"
            ws.send(ODD)
            assert ws.recv() == ODD
            ws.send(b"\x00\xff")
            assert ws.recv() == b"\x00\xff"
            ws.send(b"{}", text=True)
            assert ws.recv(decode=False) == b"{}"
            ws.send("abc", text=False)
            assert ws.recv(timeout=5, decode=True) == "abc"
            ws.ping(b"p1").wait(5)
            ws.pong(b"p2")
            with pytest.raises(TimeoutError):
                ws.recv(timeout=0.01)
    [events] = _tapes(url)
    asked, answered = RequestHead.decode(events[0].body), ResponseHead.decode(events[1].body)
    assert (events[0].type, events[1].type) == ("GET /v1/realtime", "101")
    assert (asked.path, asked.query) == ("/v1/realtime", "model=m-1")
    assert asked.subprotocols == ("realtime",)
    assert KEY.encode() not in events[0].body
    assert (answered.status, answered.subprotocol) == (101, "realtime")
    odd = ODD.encode()
    assert _said(events) == [
        ("client", "ws.text", odd),
        ("provider", "ws.text", odd),
        ("client", "ws.binary", b"\x00\xff"),
        ("provider", "ws.binary", b"\x00\xff"),
        ("client", "ws.text", b"{}"),
        ("provider", "ws.text", b"{}"),
        ("client", "ws.binary", b"abc"),
        ("provider", "ws.binary", b"abc"),
        ("client", "ws.ping", b"p1"),
        ("client", "ws.pong", b"p2"),
        _closed("client", 1000),
    ]
    assert events[2].type == "response.create"


def test_fragments_are_one_message(url: str, provider: str) -> None:
    with Recorder(url) as recorder, recorder.wrap(connect(provider)) as ws:
        ws.send(["one ", "two"])
        assert "".join(map(str, ws.recv_streaming())) == "one two"
        ws.send(iter([b"\x01", b"\x02"]))
        assert b"".join(map(bytes, ws.recv_streaming(decode=False))) == b"\x01\x02"  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            ws.send({"not": "a message"})
    [events] = _tapes(url)
    assert _said(events) == [
        ("client", "ws.text", b"one two"),
        ("provider", "ws.text", b"one two"),
        ("client", "ws.binary", b"\x01\x02"),
        ("provider", "ws.binary", b"\x01\x02"),
        _closed("client", 1000),
    ]


def test_the_provider_closes(url: str, provider: str) -> None:
    with Recorder(url) as recorder:
        ws = recorder.wrap(connect(provider))
        ws.send("bye")
        with pytest.raises(ConnectionClosedError):
            ws.recv()
        with pytest.raises(ConnectionClosedError):
            ws.recv()
        ws.close()
    [events] = _tapes(url)
    assert _said(events) == [("client", "ws.text", b"bye"), _closed("provider", 4000, "as asked")]


def test_a_lost_connection(url: str, provider: str) -> None:
    with Recorder(url) as recorder:
        ws = recorder.wrap(connect(provider))
        ws.send("drop")
        with pytest.raises(ConnectionClosedError):
            ws.recv(timeout=5)
    [events] = _tapes(url)
    assert _said(events)[-1] == _closed("provider", 1006)


def test_a_message_that_did_not_go_out_is_marked(url: str, provider: str) -> None:
    with Recorder(url) as recorder, recorder.session() as session:
        ws = session.wrap(connect(provider))
        ws.send("bye")
        ws.recv_events_thread.join(5)
        with pytest.raises(ConnectionClosedError):
            ws.send("late")
        with pytest.raises(ConnectionClosedError):
            ws.send("later")
    [events] = _tapes(url)
    assert [event.body for event in events[2:4]] == [b"bye", b"late"]
    assert [event.type for event in events[4:]] == ["unsent", "4000"]


def test_what_was_not_read_before_the_close_is_recorded(url: str, provider: str) -> None:
    with Recorder(url) as recorder:
        ws = recorder.wrap(connect(provider))
        for text in ("a", "b", "c"):
            ws.send(text)
        assert ws.recv() == "a"
        _until(lambda: ws.recv_messages.frames.qsize() == 2)
        ws.close()
        assert list(ws) == ["b", "c"]
    [events] = _tapes(url)
    assert _said(events)[-4:] == [
        ("provider", "ws.text", b"a"),
        ("provider", "ws.text", b"b"),
        ("provider", "ws.text", b"c"),
        _closed("client", 1000),
    ]


def test_iteration_ends_with_the_connection(url: str, provider: str) -> None:
    with Recorder(url) as recorder:
        ws = recorder.wrap(connect(provider))
        for text in ("a", "b"):
            ws.send(text)
        got = []
        for message in ws:
            got.append(message)
            if len(got) == 2:
                ws.close()
    assert got == ["a", "b"]
    [events] = _tapes(url)
    assert _said(events)[-1] == _closed("client", 1000)


async def test_an_asyncio_connection(url: str, provider: str) -> None:
    async def fragments() -> AsyncIterator[str]:
        yield "one "
        yield "two"

    with Recorder(url) as recorder:
        async with recorder.wrap(await connect_async(provider)) as ws:
            await ws.send(ODD)
            assert await ws.recv(decode=False) == ODD.encode()
            await ws.send(memoryview(b"\x00\xff"))
            assert await ws.recv() == b"\x00\xff"
            await ws.send(fragments())
            assert [part async for part in ws.recv_streaming()] == ["one two"]
            await ws.send([b"1", b"2"])
            assert await ws.recv(decode=True) == "12"
            await (await ws.ping("p1"))
            await ws.pong(b"p2")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ws.recv(), 0.01)
            await ws.send("bye")
            with pytest.raises(ConnectionClosedError):
                await ws.recv()
    [events] = _tapes(url)
    assert ResponseHead.decode(events[1].body).status == 101
    odd = ODD.encode()
    assert _said(events) == [
        ("client", "ws.text", odd),
        ("provider", "ws.text", odd),
        ("client", "ws.binary", b"\x00\xff"),
        ("provider", "ws.binary", b"\x00\xff"),
        ("client", "ws.text", b"one two"),
        ("provider", "ws.text", b"one two"),
        ("client", "ws.binary", b"12"),
        ("provider", "ws.binary", b"12"),
        ("client", "ws.ping", b"p1"),
        ("client", "ws.pong", b"p2"),
        ("client", "ws.text", b"bye"),
        _closed("provider", 4000, "as asked"),
    ]


async def test_asyncio_iteration_and_a_shared_session(url: str, provider: str) -> None:
    with Recorder(url, trial="hooks") as recorder, recorder.session(external_id="rtc_1") as session:
        first = session.wrap(await connect_async(provider))
        second = session.wrap(await connect_async(provider))
        await first.send("from the first")
        await second.send("from the second")
        async for message in first:
            assert message == "from the first"
            await first.close()
        assert await second.recv() == "from the second"
        await second.close(4001, "done")
    [events] = _tapes(url)
    assert {event.channel for event in events} == {1, 2}
    closes = [event.body for event in events if event.kind == "ws.close"]
    assert closes == [Close(1000).encode(), Close(4001, "done").encode()]
    with closing(open_store(url, create=False, readonly=True)) as store:
        [row] = store.sessions()
        assert (row.external_id, row.trial, row.origin) == ("rtc_1", "hooks", "hook")


def test_a_full_queue_holds_the_sender_back(
    url: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recorder(url) as recorder, recorder.wrap(connect(provider)) as ws:
        waited: list[int] = []
        room = recorder._writer.wait_room

        def wait_room() -> None:
            waited.append(1)
            room()

        with monkeypatch.context() as narrow:
            narrow.setattr(recorder._writer, "_limit", 0)
            narrow.setattr(recorder._writer, "wait_room", wait_room)
            for number in range(20):
                ws.send(f"message {number}")
                assert ws.recv() == f"message {number}"
        assert waited
    [events] = _tapes(url)
    assert len(_said(events)) == 41


async def test_what_cannot_be_stored_ends_the_conversation(
    url: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(batch: object) -> None:
        raise StoreError("tapes.db: the disk is full: free some space")

    with pytest.raises(StoreError, match="the disk is full"), Recorder(url) as recorder:
        async with recorder.wrap(await connect_async(provider)) as ws:
            recorder.flush()
            with monkeypatch.context() as broken:
                broken.setattr(recorder._store, "commit", refuse)
                await ws.send("lost")
                with pytest.raises(StoreError, match="the disk is full"):
                    await asyncio.to_thread(recorder.flush)
                with pytest.raises(StoreError, match="the disk is full"):
                    await ws.send("not sent")
    with closing(open_store(url, create=False, readonly=True)) as store:
        [row] = store.sessions()
        assert row.status == "incomplete"
