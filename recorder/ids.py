"""Session ids: 26 characters of Crockford's base 32 (a ULID), so that text order is time order."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def session_id(wall_ns: int, chance: int | None = None) -> str:
    """An id for a session that begins at `wall_ns`: 48 bits of milliseconds, 80 of chance."""
    noise = secrets.randbits(80) if chance is None else chance
    number = (wall_ns // 1_000_000) << 80 | noise
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))
