"""From the name of a tape to the name of its folder: safe everywhere, and distinct."""

from __future__ import annotations

import re
from hashlib import sha256

_SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_UNSAFE = re.compile(r"[^a-z0-9_-]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)")  # devices of Windows
_LENGTH = 48
_HASH = 10


def folder_name(name: str) -> str:
    """The folder of the tape `name`: the name itself where it is short and of small letters,
    digits, `-` and `_`; else what is left of it, and a hash. So names that differ only in case, or
    in a character that a file system refuses, have different folders."""
    if _SAFE.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    kept = _UNSAFE.sub("-", name.lower()).strip("-_")[:_LENGTH].rstrip("-_")
    return f"{kept or 'tape'}-{sha256(name.encode()).hexdigest()[:_HASH]}"
