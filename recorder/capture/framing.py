"""Frames between the recording side and the writer process: a pickled value, and bodies beside it.

Bodies do not go through the pickle, and the kernel gathers long ones from where they are. A frame
is two lengths (head, bodies; 4 bytes each, big-endian), the head, and the bodies one after the
other. Of a list of items the head has each field of all events as a column, with the lengths of
their bodies, and the orders with their places: columns are made, pickled and taken apart by C. Both
ends are this program, started by this program.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from recorder.capture.tap import Happened, Order

PREFIX = struct.Struct("!II")
_JOINED = 1 << 17  # bytes that cost less to copy once than to hand over piece by piece
_EVENT = 7  # how many fields an event has; an order has fewer


class Items(NamedTuple):
    """Items in their order, and how many bytes their bodies have."""

    items: list[Happened | Order]
    size: int


def word(value: object) -> bytes:
    """A frame without bodies."""
    head = pickle.dumps(value, protocol=5)
    return PREFIX.pack(len(head), 0) + head


def batch(items: Sequence[tuple[Any, ...]]) -> tuple[list[bytes | memoryview], int]:
    """A frame of items, as buffers to be sent one after the other, and how many bytes their bodies
    have."""
    events = [item for item in items if len(item) == _EVENT]
    orders = [(at, item) for at, item in enumerate(items) if len(item) != _EVENT]
    *columns, bodies = zip(*events, strict=True) if events else ((),) * _EVENT
    sizes = tuple(map(len, bodies))
    head = pickle.dumps([columns, sizes, orders], protocol=5)
    size = sum(sizes)
    start = PREFIX.pack(len(head), size) + head
    buffers = [start + b"".join(bodies)] if size <= _JOINED else [start, *bodies]
    return buffers, size


def unpack(head: bytes | memoryview, bodies: memoryview) -> Any:
    """The value of a frame: `Items`, or what a word says."""
    value = pickle.loads(head)
    if not isinstance(value, list):
        return value
    columns, sizes, orders = value
    ends = list(accumulate(sizes))
    starts = (0, *ends)
    taken = [bytes(bodies[start:end]) for start, end in zip(starts, ends, strict=False)]
    items = list(zip(*columns, taken, strict=True))
    for at, order in orders:
        items.insert(at, Order(*order))
    return Items(items, len(bodies))
