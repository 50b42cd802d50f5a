"""JSON whose parts keep their text: what a message said, not what it meant."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def parse(text: str) -> Any:
    """The value of a JSON text (RFC 8259: no NaN); ValueError if it is not one."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def members(text: str) -> dict[str, str]:
    """The members of a JSON object with the text of each value, exactly as it stands.

    ValueError if `text` is not one JSON object. Of a repeated name the last counts.
    """
    if not isinstance(parse(text), dict):
        raise ValueError("not a JSON object")
    found: dict[str, str] = {}
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[name] = text[start:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
