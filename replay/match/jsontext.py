"""JSON for comparing: numbers keep their text and compare by value, keys have no order."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring_ascii
from typing import Any

Json = Any  # None, bool, Number, str, list[Json] or dict[str, Json]

_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,9}))?\Z")


class Number(str):
    """A number as written. `value` is the same for numbers that are equal: `1`, `1.0`, `10e-1`."""

    __slots__ = ()

    @property
    def value(self) -> str:
        found = _NUMBER.match(self)
        assert found, f"{self!r} was accepted as a number"
        sign, whole, fraction, exponent = found.groups("")
        digits = (whole + fraction).lstrip("0")
        kept = digits.rstrip("0")
        if not kept:
            return "0"
        return f"{sign}{kept}e{int(exponent or 0) - len(fraction) + len(digits) - len(kept)}"


def parse(body: bytes) -> Json:
    """The JSON of `body`. ValueError if it is not JSON, or says one key twice, or names a number
    of more than nine digits of exponent: such a text is compared as it stands."""
    try:
        return _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _number(text: str) -> Number:
    if not _NUMBER.match(text):
        raise ValueError(f"{text[:40]} is out of range")
    return Number(text)


def _refuse(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


_DECODER = json.JSONDecoder(  # made once: making it takes as long as decoding a short message
    parse_int=Number, parse_float=_number, parse_constant=_refuse, object_pairs_hook=_object
)


def canonical(value: Json) -> str:
    """The one text of all JSON that is equal: ASCII, keys sorted, no spaces, numbers by value."""
    if isinstance(value, Number):
        return value.value
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, dict):
        members = (
            f"{encode_basestring_ascii(key)}:{canonical(value[key])}" for key in sorted(value)
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def shown(value: Json) -> str:
    """`value` as a reader writes it."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{shown(key)}: {shown(inner)}" for key, inner in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return canonical(value)
