"""Frames between the recording side and the writer process: a pickled value, and bodies beside it.

Bodies do not go through the pickle, so that the kernel gathers them from where they are. A frame
is two lengths (head, bodies; 4 bytes each, big-endian), the head, and the bodies one after the
other. In a list of items the body of an event is replaced by its length. Both ends are this
program, started by this program.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterable
from typing import Any

PREFIX = struct.Struct("!II")
_BODY = 6  # where the body stands in an event
_EVENT = 7  # how many fields an event has; an order has fewer


def word(value: object) -> bytes:
    """A frame without bodies."""
    head = pickle.dumps(value, protocol=5)
    return PREFIX.pack(len(head), 0) + head


def batch(items: Iterable[tuple[Any, ...]]) -> list[bytes | memoryview]:
    """A frame of items, as buffers to be sent one after the other."""
    bodies: list[bytes | memoryview] = []
    heads: list[tuple[Any, ...]] = []
    for item in items:
        if len(item) == _EVENT:
            bodies.append(item[_BODY])
            heads.append((*item[:_BODY], len(item[_BODY])))
        else:
            heads.append(item)
    head = pickle.dumps(heads, protocol=5)
    return [PREFIX.pack(len(head), sum(map(len, bodies))) + head, *bodies]


def unpack(head: bytes | memoryview, bodies: memoryview) -> Any:
    """The value of a frame; in a list of items the bodies are put back."""
    value = pickle.loads(head)
    if not isinstance(value, list):
        return value
    at = 0
    items: list[tuple[Any, ...]] = []
    for item in value:
        if len(item) == _EVENT:
            end = at + item[_BODY]
            item = (*item[:_BODY], bytes(bodies[at:end]))
            at = end
        items.append(item)
    return items
