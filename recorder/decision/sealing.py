"""The digest that closes a document: it tells whether the document is still as it was made."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_SEAL: Final = re.compile(r"<!-- record decide: sha256 [0-9a-f]{64} of all above this line -->\n\Z")


def sealed(text: str) -> str:
    """A document with its digest as the last line. `text` ends with a line feed."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text}<!-- record decide: sha256 {digest} of all above this line -->\n"


def is_intact(document: str) -> bool:
    """Whether a text is a document that was made here, and nobody has edited."""
    found = _SEAL.search(document)
    return found is not None and sealed(document[: found.start()]) == document
