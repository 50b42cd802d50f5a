"""Frames between the recording side and the writer process: a pickled value, and bodies beside it.

Bodies do not go through the pickle, and the kernel gathers long ones from where they are. A frame
is three numbers (the lengths of head and bodies, and how many items there are; 4 bytes each,
big-endian), the head, and the bodies one after the other. Of items the head has each field of all
events as a column, with the lengths of their bodies, and the orders with their places: columns are
made, pickled and taken apart by C. Both ends are this program, started by this program.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from recorder.capture.tap import Happened, Order

PREFIX = struct.Struct("!III")
_JOINED = 1 << 17  # bytes that cost less to copy once than to hand over piece by piece
_EVENT = 7  # how many fields an event has; an order has fewer


class Items:
    """`count` items in their order, as they came, with `size` bytes of bodies. They are taken apart
    where they are read, so that what waits is a few objects."""

    def __init__(self, data: bytes, head: int, count: int) -> None:
        self._data, self._head = data, head
        self.count, self.size = count, len(data) - head

    def __iter__(self) -> Iterator[Happened | Order]:
        data = self._data
        columns, sizes, orders = pickle.loads(data[: self._head])
        ends = list(accumulate(sizes, initial=self._head))
        bodies = map(data.__getitem__, map(slice, ends, ends[1:]))
        items = list(zip(*columns, bodies, strict=True))
        for at, order in orders:
            items.insert(at, Order(*order))
        return iter(items)


def word(value: object) -> bytes:
    """A frame without items."""
    head = pickle.dumps(value, protocol=5)
    return PREFIX.pack(len(head), 0, 0) + head


def body_bytes(item: tuple[Any, ...]) -> int:
    """How long the body of an item is; an order has none."""
    return len(item[-1]) if len(item) == _EVENT else 0


def batch(items: Sequence[tuple[Any, ...]]) -> tuple[list[bytes | memoryview], int]:
    """A frame of items, as buffers to be sent one after the other, and how many bytes their bodies
    have."""
    events = [item for item in items if len(item) == _EVENT]
    orders = [(at, item) for at, item in enumerate(items) if len(item) != _EVENT]
    *columns, bodies = zip(*events, strict=True) if events else ((),) * _EVENT
    sizes = tuple(map(len, bodies))
    head = pickle.dumps((columns, sizes, orders), protocol=5)
    size = sum(sizes)
    start = PREFIX.pack(len(head), size, len(items)) + head
    buffers = [start + b"".join(bodies)] if size <= _JOINED else [start, *bodies]
    return buffers, size


def unpack(data: bytes, head: int, count: int) -> Any:
    """What a frame says, given what comes after its prefix: `Items`, or a word."""
    return Items(data, head, count) if count else pickle.loads(data)
