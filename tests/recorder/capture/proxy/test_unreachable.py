"""An upstream that nobody listens at: the client is told, and the attempt is on the tape."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from recorder.capture.proxy.server import Proxy
from recorder.clock import SystemClock
from recorder.recording import Recording
from recorder.store import open_store
from tests.recorder.capture.proxy.thread_writer import ThreadWriter


async def test_a_refused_connection_is_recorded_as_such(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    writer = ThreadWriter(url, SystemClock())
    await writer.start()
    proxy = Proxy(writer, "t", {"openai": "http://127.0.0.1:1"})
    base = await proxy.start("127.0.0.1", 0)
    try:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws{base.removeprefix('http')}/openai/v1/realtime?model=m").__aenter__()
    finally:
        await proxy.stop()
        await writer.close()
    assert refused.value.response.status_code == 502
    with closing(open_store(url, create=False, readonly=True)) as store:
        (row,) = [row for row in store.sessions() if row.model == "m"]
        events = list(Recording(store, row.id).events())
    assert (events[0].sender, events[0].kind) == ("client", "ws.open")
    assert not [event for event in events if event.sender == "provider"]
    (note,) = [event for event in events if event.kind == "note"]
    assert note.type == "unreachable"
    assert "127.0.0.1:1" in json.loads(note.body)["message"]
