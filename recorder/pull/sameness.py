"""Whether an answer tells anything new: its digest without what differs at every asking."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any, Protocol

_FLEETING = re.compile(r"presigned.*(?:Url|UrlsExpiresAt)")
_SIGNED = re.compile(r"(https?://[^?#]*)\?.*signature=", re.I | re.S)


class Cleaner(Protocol):
    """How secrets leave a text."""

    def text(self, text: str) -> str:
        """A text without the secrets that can be told by what they look like."""
        ...

    def marker(self, text: str) -> str:
        """What stands in the place of a text that is a secret as a whole."""
        ...


def digest(body: bytes) -> bytes:
    """SHA-256 of a body; of JSON, whatever its spacing and the order of its fields, without the
    signatures of URLs, which are new at every asking. Secrets are to be taken out before."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return sha256(body).digest()
    plain = json.dumps(_lasting(told), sort_keys=True, separators=(",", ":"))
    return sha256(plain.encode()).digest()


def is_same(stored: bytes, fresh: object, cleaner: Cleaner) -> bool:
    """Whether stored JSON, of which secrets were taken out, surely is `fresh`, a JSON value of
    which they were not. A no is not sure (`digest` tells); a yes is found without searching."""
    try:
        told = json.loads(stored)
    except (ValueError, RecursionError):
        return False
    return _equal(_lasting(told), _lasting(fresh), cleaner)


def _equal(stored: Any, fresh: Any, cleaner: Cleaner) -> bool:
    if isinstance(stored, dict) and isinstance(fresh, dict):
        return stored.keys() == fresh.keys() and all(
            _equal(value, fresh[key], cleaner) for key, value in stored.items()
        )
    if isinstance(stored, list) and isinstance(fresh, list):
        return len(stored) == len(fresh) and all(
            _equal(one, other, cleaner) for one, other in zip(stored, fresh, strict=True)
        )
    if isinstance(stored, str) and isinstance(fresh, str) and stored != fresh:
        return stored in (cleaner.marker(fresh), cleaner.text(fresh))
    return bool(stored == fresh) and isinstance(stored, bool) == isinstance(fresh, bool)


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(one) for key, one in value.items() if not _FLEETING.fullmatch(key)}
    if isinstance(value, list):
        return [_lasting(one) for one in value]
    if isinstance(value, str) and (signed := _SIGNED.match(value)):
        return signed[1]
    return value
