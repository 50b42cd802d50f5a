"""Text from the wire as a database can hold it."""

from __future__ import annotations


def storable(text: str) -> str:
    """`text` with `?` for what a text column cannot hold: NUL, and halves of characters, which JSON
    may escape and UTF-8 does not have."""
    whole = text if text.isascii() else text.encode("utf-8", "replace").decode()
    return whole.replace("\0", "?") if "\0" in whole else whole
