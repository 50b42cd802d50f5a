"""What goes through the pipe to the writer comes out as it was."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.framing import PREFIX, batch, unpack, word
from recorder.capture.process import WriterProcess
from recorder.clock import SystemClock

EVENTS = st.tuples(
    st.integers(1, 9),
    st.integers(0, 1 << 60),
    st.integers(0, 9),
    st.sampled_from(["client", "provider"]),
    st.just("ws.text"),
    st.text(max_size=5),
    st.binary(max_size=40),
)
ORDERS = st.tuples(st.integers(1, 9), st.just("learn"), st.dictionaries(st.text(), st.text()))


def received(frame: bytes) -> Any:
    head, bodies, count = PREFIX.unpack(frame[: PREFIX.size])
    data = frame[PREFIX.size :]
    assert len(data) == head + bodies
    return unpack(data, head, count)


def came(frame: bytes, items: list[tuple[object, ...]], size: int) -> None:
    """A frame brings these items, however often they are read."""
    found = received(frame)
    assert (found.count, found.size) == (len(items), size)
    assert list(found) == items
    assert list(found) == items


@given(st.lists(EVENTS | ORDERS, min_size=1, max_size=20))
def test_items_come_out_in_order_with_their_bodies(items: list[tuple[object, ...]]) -> None:
    size = sum(len(item[6]) for item in items if len(item) == 7)  # type: ignore[arg-type]
    buffers, told = batch(items)
    assert told == size
    came(b"".join(buffers), items, size)


def test_a_word_comes_out() -> None:
    assert received(word(("flush", 7))) == ("flush", 7)


def test_long_bodies_are_handed_over_as_they_are() -> None:
    bodies = [bytes(100_000), b"", bytes([7]) * 100_000]
    items = [(1, at, 1, "client", "ws.binary", "", body) for at, body in enumerate(bodies)]
    (_, *sent), size = batch(items)
    assert all(one is other for one, other in zip(sent, bodies, strict=True))
    buffers, _ = batch(items)
    came(b"".join(buffers), items, size)


async def test_a_frame_has_about_a_megabyte() -> None:
    writer = WriterProcess("unused", SystemClock())
    mine, theirs = socket.socketpair()
    writer._loop, writer._sock = asyncio.get_running_loop(), mine
    mine.setblocking(False)
    tape = writer.open("openai", "t")
    for size in [10] * 999 + [600_000] * 6 + [10] * 3_000:
        tape.record(1, "client", "ws.text", "", bytes(size))
    talking = asyncio.create_task(writer._talk())
    count, bodies = 0, []
    with theirs, mine:
        while count < 4_006:
            head, size, items = PREFIX.unpack(
                await asyncio.to_thread(_exactly, theirs, PREFIX.size)
            )
            await asyncio.to_thread(_exactly, theirs, head + size)
            count += items
            bodies.append(size)
        talking.cancel()
    assert count == 4_006  # with the order that begins the tape
    assert max(bodies) < (1 << 20) + 600_000
    assert len(bodies) < 9


def _exactly(sock: socket.socket, size: int) -> bytes:
    return sock.recv(size, socket.MSG_WAITALL)
