"""When the writing side fails, nobody passes unrecorded in silence."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web
from new_stores import empty_store
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from recorder.capture.encode import Draft
from recorder.capture.ledger import Ledger, OnFailure
from recorder.capture.process import WriterProcess
from recorder.capture.runs import this_run
from recorder.capture.tap import Order
from recorder.chain import SCHEME
from recorder.clock import SystemClock
from recorder.errors import RecorderError, StoreError
from recorder.providers.openai_realtime.capture import RealtimeTracker
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import Batch, SessionRow
from recorder.store.memory import MemoryStore
from recorder.verify import verify
from tests.recorder.capture.test_crash import children, echo

SECRETS = Secrets(b"key of these tests")
ODD_RATES = [str(10**23), "0", "-7", "true", '"24000"', "9000000000000000000"]


async def upstream() -> tuple[web.ServerRunner, str]:
    server = web.ServerRunner(web.Server(echo))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    return server, f"http://127.0.0.1:{server.addresses[0][1]}"


def proxy(path: Path, url: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "recorder", "proxy", "--store", str(empty_store(path))]
    argv += ["--listen", "127.0.0.1:0", "--openai-url", url]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the writer through /proc")
async def test_a_proxy_whose_writer_died_ends(tmp_path: Path) -> None:
    server, url = await upstream()
    process = proxy(tmp_path / "tape.db", url)
    assert process.stdout
    base = (await asyncio.to_thread(process.stdout.readline)).split()[1]
    socket = await connect(f"ws{base.removeprefix('http')}/openai/v1/realtime?model=m")
    for pid in children(process.pid):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), 10)
    _, errors = await asyncio.to_thread(process.communicate)
    await server.cleanup()
    assert process.returncode == 2
    assert "the writer process has died" in errors
    assert "Traceback" not in errors


async def test_no_tape_opens_without_a_writer(tmp_path: Path) -> None:
    writer = WriterProcess(str(empty_store(tmp_path / "tape.db")), SystemClock())
    await writer.start()
    writer._process.kill()
    await asyncio.wait_for(writer.fell.wait(), 10)
    tape = writer.open("openai", "t")
    assert tape.failed
    tape.record(1, "client", "ws.text", "", b"x" * 1000)
    assert not writer._queue
    with pytest.raises(StoreError, match="has died"):
        await writer.drained()
    with pytest.raises(StoreError, match="has died"):
        await writer.close()


async def test_a_deleted_store_ends_the_conversation(tmp_path: Path) -> None:
    server, url = await upstream()
    path = tmp_path / "tape.db"
    process = proxy(path, url)
    assert process.stdout
    base = (await asyncio.to_thread(process.stdout.readline)).split()[1]
    address = f"ws{base.removeprefix('http')}/openai/v1/realtime?model=m"
    async with connect(address) as socket:
        await socket.send("before")
        path.unlink()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(15):
                while True:
                    await socket.recv()
        assert socket.close_code == 1011
    process.terminate()
    _, errors = await asyncio.to_thread(process.communicate)
    await server.cleanup()
    assert "file is gone" in errors


async def test_ctrl_c_does_not_wait_for_a_stream(tmp_path: Path) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"data: more\n\n")
            await asyncio.sleep(0.05)

    server = web.ServerRunner(web.Server(endless), shutdown_timeout=0.1)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    process = proxy(tmp_path / "tape.db", f"http://127.0.0.1:{server.addresses[0][1]}")
    assert process.stdout
    base = (await asyncio.to_thread(process.stdout.readline)).split()[1]
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /openai/v1/endless HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"more")
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(15):
        await asyncio.to_thread(process.wait)
    writer.close()
    await server.cleanup()
    assert process.returncode == 0
    with closing(open_store(f"sqlite:///{tmp_path / 'tape.db'}", create=False)) as store:
        assert all(verify(store, row).fault is None for row in store.sessions())


class Moody(MemoryStore):
    """Fails the commits it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: set[int] = set()
        self.commits = 0

    def commit(self, batch: Batch) -> None:
        self.commits += 1
        if self.commits in self.fails:
            raise StoreError("the disk is full")
        super().commit(batch)


@pytest.mark.parametrize("policy", ["end", "pass"])
def test_an_end_that_was_not_stored_still_gets_its_mark(policy: str) -> None:
    store, clock = Moody(), SystemClock()
    told: list[tuple[int, RecorderError]] = []
    ledger = Ledger(store, clock, SECRETS, policy, lambda *failed: told.append(failed))  # type: ignore[arg-type]
    run = this_run(clock)
    ledger.start(run)
    row = SessionRow("01tape", "t", "openai", clock.wall_ns(), SCHEME, run.id)
    ledger.write([Order(1, "begin", row), Order(1, "channel", (1, "ws", "/"))], more=True)
    store.fails = {2}
    ledger.write(
        [(1, 5, 1, "client", "ws.text", "", b"lost"), Order(1, "end", "complete")], more=False
    )
    ledger.finish()
    stored = store.session("01tape")
    assert stored
    assert stored.status == "incomplete"
    (hole,) = Recording(store, "01tape").events()
    assert hole.type == "hole"
    assert verify(store, stored).fault is None


@pytest.mark.parametrize("policy", ["end", "pass"])
@pytest.mark.parametrize(
    ("cannot", "was_there"), [("commit", False), ("commit", True), ("count", True)]
)
def test_a_tape_whose_beginning_was_refused_tells_what_it_lacks(
    policy: OnFailure, cannot: str, was_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = MemoryStore(), SystemClock()
    told: list[int] = []
    ledger = Ledger(store, clock, SECRETS, policy, lambda tape, _: told.append(tape))
    run = this_run(clock)
    ledger.start(run)
    row = SessionRow("01tape", "t", "vapi", clock.wall_ns(), SCHEME, run.id)
    happened = [(1, 5, 1, "client", "ws.text", "", b"kept")] * 2
    begin = [Order(1, "begin", row), Order(1, "channel", (1, "ws", "/"))]
    if was_there:
        ledger.write([*begin, *happened, Order(1, "end", "complete")], more=False)
        (row,) = store.sessions()
        row = row._replace(status="recording", events=None, digest=None)
    begin = [Order(2, "begin", row), Order(2, "channel", (2, "ws", "/"))]

    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, cannot, refuse)
        ledger.write([*begin, (2, 7, 2, "client", "ws.text", "", b"lost")], more=False)
    monkeypatch.setattr(ledger, "_beat_at", 0)
    ledger.write([(2, 8, 2, "client", "ws.text", "", b"late")], more=False)
    ledger.write([(2, 9, 2, "client", "ws.text", "", b"later")], more=False)
    ledger.write([Order(2, "end", "complete")], more=False)
    ledger.finish()
    (stored,) = store.sessions()
    assert stored.status == "incomplete"
    events = list(Recording(store, "01tape").events())
    before, after = events[: 2 * was_there], events[2 * was_there :]
    assert [event.body for event in before] == [b"kept"] * 2 * was_there
    hole, *rest = after
    assert json.loads(hole.body)["lost_events"] == 2
    assert [event.body for event in rest] == ([b"later"] if policy == "pass" else [])
    assert told == ([] if policy == "pass" else [2])
    assert verify(store, stored).fault is None


@pytest.mark.parametrize("policy", ["end", "pass"])
def test_a_tape_refused_whole_gets_its_mark(policy: OnFailure) -> None:
    store, clock = Moody(), SystemClock()
    ledger = Ledger(store, clock, SECRETS, policy, lambda *_: None)
    run = this_run(clock)
    ledger.start(run)
    store.fails = {1}
    row = SessionRow("01tape", "t", "openai", clock.wall_ns(), SCHEME, run.id)
    orders = [Order(1, "begin", row), Order(1, "channel", (1, "ws", "/"))]
    lost = (1, 5, 1, "client", "ws.text", "", b"lost")
    ledger.write([*orders, lost, Order(1, "end", "complete")], more=False)
    ledger.finish()
    stored = store.session("01tape")
    assert stored
    assert stored.status == "incomplete"
    assert [event.type for event in Recording(store, "01tape").events()] == ["hole"]


@pytest.mark.parametrize("policy", ["end", "pass"])
def test_who_holds_a_tape_that_cannot_be_mended_is_told(
    policy: OnFailure, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = Moody(), SystemClock()
    told: list[tuple[int, str]] = []
    ledger = Ledger(store, clock, SECRETS, policy, lambda tape, why: told.append((tape, str(why))))
    run = this_run(clock)
    ledger.start(run)
    for number, name in ((1, "01odd"), (2, "02well")):
        row = SessionRow(name, "t", "openai", clock.wall_ns(), SCHEME, run.id)
        ledger.write(
            [Order(number, "begin", row), Order(number, "channel", (1, "ws", "/"))], more=False
        )
    store.fails = {3}
    lost = [(number, 5, 1, "client", "ws.text", "", b"lost") for number in (1, 2)]
    ledger.write(lost, more=False)
    before, count = len(told), store.count

    def odd(session: str) -> int:
        if session == "01odd":
            raise ValueError("nobody thought of this")
        return count(session)

    monkeypatch.setattr(store, "count", odd)
    ledger.finish()
    assert told[before:] == [(1, "the recorder failed: ValueError('nobody thought of this')")]
    (hole,) = Recording(store, "02well").events()
    assert hole.type == "hole"


def test_a_store_that_is_gone_is_told_also_where_traffic_passes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, clock = MemoryStore(), SystemClock()
    ledger = Ledger(store, clock, SECRETS, "pass", lambda *_: None)
    run = this_run(clock)
    ledger.start(run)
    monkeypatch.setattr(store, "exists", lambda: False)
    row = SessionRow("01tape", "t", "openai", clock.wall_ns(), SCHEME, run.id)
    monkeypatch.setattr(ledger, "_beat_at", 0)
    ledger.write([Order(1, "begin", row)], more=False)
    assert "the store's file is gone" in caplog.text


@pytest.mark.parametrize("rate", ODD_RATES)
@pytest.mark.parametrize(
    "shape",
    [
        '{"audio":{"input":{"format":{"type":"audio/pcm","rate":RATE}}}}',
        '{"input_audio_format":"pcm16","input_audio_sampling_rate":RATE}',
    ],
)
def test_a_rate_that_is_none_is_not_believed(rate: str, shape: str) -> None:
    tracker = RealtimeTracker()
    session = shape.replace("RATE", rate)
    told = f'{{"type":"session.updated","session":{session}}}'.encode()
    tracker.inspect(1, "provider", "ws.text", "", told)
    append = b'{"type":"input_audio_buffer.append","audio":"QUJDREVGR0g="}'
    (field,) = tracker.inspect(1, "client", "ws.text", "", append).audio
    assert field.rate == 24_000


def test_a_bug_in_a_tracker_costs_no_recording(caplog: pytest.LogCaptureFixture) -> None:
    from recorder.capture.encode import Encoder
    from recorder.redact import Redactor

    class Broken(RealtimeTracker):
        def inspect(self, *args: object) -> object:  # type: ignore[override]
            raise ZeroDivisionError

    row = SessionRow("01tape", "t", "openai", 1, SCHEME, "run")
    draft = Draft()
    Encoder(row, Broken(), Redactor(SECRETS)).add(1, 1, "client", "ws.text", "", b"{}", draft)  # type: ignore[arg-type]
    assert [event.body for event in draft.batch.events] == ["{}"]
    assert "not understood" in caplog.text


async def test_rest_is_recorded_again_once_the_store_is_back(tmp_path: Path) -> None:
    import sqlite3

    import httpx

    path = tmp_path / "tape.db"

    async def ok(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="fine")

    server = web.ServerRunner(web.Server(ok))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    process = proxy(path, f"http://127.0.0.1:{server.addresses[0][1]}")
    assert process.stdout
    base = (await asyncio.to_thread(process.stdout.readline)).split()[1]
    async with httpx.AsyncClient(timeout=20) as client:
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        await client.get(f"{base}/openai/v1/models")
        await asyncio.sleep(6)  # longer than the store waits for the lock
        lock.execute("ROLLBACK")
        lock.close()
        await asyncio.sleep(0.3)
        answer = await client.get(f"{base}/openai/v1/again")
    process.terminate()
    await asyncio.to_thread(process.communicate)
    await server.cleanup()
    assert answer.status_code == 200
    with closing(open_store(f"sqlite:///{path}", create=False)) as store:
        rows = store.sessions()
        assert sorted(row.status for row in rows) == ["complete", "incomplete"]
