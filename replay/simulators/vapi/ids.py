"""Ids and times as the service writes them."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Mint:
    """Mints ids from a seed of its own."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)

    def uuid4(self) -> str:
        """The id of an assistant, a tool, an organisation, a turn or a file."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def uuid7(self, wall_ms: int) -> str:
        """The id of a call: 48 bits of its millisecond, then chance (RFC 9562, 5.7)."""
        bits = wall_ms << 80 | self.chance.getrandbits(80)
        bits = bits & ~(0xF << 76) | 0x7 << 76
        bits = bits & ~(0x3 << 62) | 0x2 << 62
        return str(uuid.UUID(int=bits))

    def tool_call_id(self) -> str:
        """The id of a tool call, as OpenAI's models give it."""
        return "call_" + "".join(self.chance.choices(_LETTERS, k=24))


def iso(ms: int) -> str:
    """Milliseconds since 1970 as `2026-11-23T10:00:00.000Z`."""
    return f"{moment(ms):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def moment(ms: int) -> datetime:
    """The UTC second in which a millisecond lies."""
    return datetime.fromtimestamp(ms // 1000, UTC)
