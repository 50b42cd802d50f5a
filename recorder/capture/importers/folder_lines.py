"""An event as one line of an exported tape's `events.jsonl`, and back.

A body stands in the line as what it is: JSON as it is, byte for byte, under `json`; other text
as a string under `text`; anything else under `base64`. So the line is JSON for every tool, and the
body is the very text that stands there.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from recorder.capture.importers.rawjson import members, parse
from recorder.events import Kind, Sender
from recorder.spans import Encoding
from recorder.store.base import AudioRef, EventRow

_LINE_ENDS = ("\n", "\r")
_SPACE = " \t"


class Line(NamedTuple):
    """An event and its audio, as a line tells them."""

    row: EventRow
    refs: list[AudioRef]


def event_line(row: EventRow, refs: Sequence[AudioRef]) -> str:
    """The line of an event (without its end); the same row gives the same line."""
    head = {
        "seq": row.seq,
        "at_ns": row.at_ns,
        "channel": row.channel,
        "sender": row.sender,
        "kind": row.kind,
        "type": row.type,
    }
    parts = [f"{_json(name)}:{_json(value)}" for name, value in head.items()]
    parts.append(_body(row))
    if refs:
        parts.append(f'"audio":{_json([_ref(ref) for ref in refs])}')
    parts.append(f'"digest":"{row.digest.hex()}"')
    return "{" + ",".join(parts) + "}"


def parse_line(session: str, text: str) -> Line:
    """The event of a line; ValueError says what is wrong with it."""
    raw = members(text)
    line = parse(text)
    seq = integer(line, "seq")
    body, binary = _parse_body(line, raw)
    row = EventRow(
        session,
        seq,
        integer(line, "at_ns"),
        integer(line, "channel"),
        choice(line, "sender", Sender),
        choice(line, "kind", Kind),
        string(line, "type"),
        body,
        binary,
        hexadecimal(line, "digest"),
    )
    found = line.get("audio", [])
    if not isinstance(found, list):
        raise ValueError('"audio" is not a list')
    return Line(row, [_parse_ref(session, seq, n, ref) for n, ref in enumerate(found)])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _body(row: EventRow) -> str:
    if row.body is None:
        return f'"base64":"{b64encode(row.raw or b"").decode()}"'
    if _stands_alone(row.body):
        return f'"json":{row.body}'
    return f'"text":{_json(row.body)}'


def _stands_alone(body: str) -> bool:
    """Whether a body can be a value in a line and be found again exactly."""
    if not body or body[0] in _SPACE or body[-1] in _SPACE:
        return False
    if any(end in body for end in _LINE_ENDS):
        return False
    try:
        parse(body)
    except ValueError:
        return False
    return True


def _ref(ref: AudioRef) -> dict[str, object]:
    return {
        "at": ref.at,
        "encoding": ref.encoding,
        "segment": ref.segment,
        "start": ref.start,
        "length": ref.length,
    }


def _parse_body(line: Mapping[str, Any], raw: Mapping[str, str]) -> tuple[str | None, bytes | None]:
    present = [name for name in ("json", "text", "base64") if name in line]
    if present == ["json"]:
        return raw["json"], None
    if present == ["text"]:
        return string(line, "text"), None
    if present == ["base64"]:
        try:
            return None, b64decode(string(line, "base64"), validate=True)
        except binascii.Error:
            raise ValueError('"base64" is not base64') from None
    raise ValueError('one of "json", "text" and "base64" must be there')


def _parse_ref(session: str, seq: int, ordinal: int, ref: Any) -> AudioRef:
    if not isinstance(ref, dict):
        raise ValueError('"audio" has something that is no reference')
    return AudioRef(
        session,
        seq,
        ordinal,
        integer(ref, "at"),
        choice(ref, "encoding", Encoding),
        integer(ref, "segment"),
        integer(ref, "start"),
        integer(ref, "length"),
    )


def integer(line: Mapping[str, Any], name: str) -> int:
    """A whole number of 0 to 2**63 - 1, as every number here is."""
    value = line.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise ValueError(f'"{name}" is not a whole number of 0 or more')
    return value


def string(line: Mapping[str, Any], name: str) -> str:
    """A text that can be stored."""
    value = line.get(name)
    if not isinstance(value, str):
        raise ValueError(f'"{name}" is not text')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f'"{name}" has a lone surrogate') from None
    return value


def hexadecimal(line: Mapping[str, Any], name: str) -> bytes:
    """Bytes written as hexadecimal digits."""
    try:
        return bytes.fromhex(string(line, name))
    except ValueError:
        raise ValueError(f'"{name}" is not hexadecimal') from None


def choice(line: Mapping[str, Any], name: str, kind: Any) -> Any:
    """One of the words of a `Literal`."""
    value = line.get(name)
    if value not in get_args(kind):
        raise ValueError(f'"{name}" is none of {", ".join(get_args(kind))}')
    return value
