"""When an id was minted: a clock for recordings that kept no times.

An id is a prefix and 21 base-62 characters, of which the first five are a second; seen in
recorded sessions, where it is `session.expires_at` less one hour.
"""

from __future__ import annotations

import re
from string import ascii_lowercase, ascii_uppercase, digits

_ID = re.compile(r"(?:sess|rtc|conv|resp|item|event)_(?:u0_)?([0-9A-Za-z]{5})[0-9A-Za-z]{16}\Z")
_DIGITS = digits + ascii_uppercase + ascii_lowercase
_EPOCH = 1_576_800_000  # Unix seconds of 00000
_FIRST = 1_704_067_200  # Unix seconds; no such id is older than 2024


def minted_ns(name: str) -> int | None:
    """Nanoseconds since 1970 of the second in which `name` was minted; None if it does not tell."""
    found = _ID.match(name)
    if found is None:
        return None
    seconds = 0
    for digit in found[1]:
        seconds = seconds * 62 + _DIGITS.index(digit)
    seconds += _EPOCH
    return seconds * 1_000_000_000 if seconds >= _FIRST else None
