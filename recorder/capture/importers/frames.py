"""JSON lines of WebSocket frames: one line a frame, `docs/formats.md` has the grammar."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from recorder.capture.importers.conversation import Conversation, Source, Take
from recorder.capture.importers.rawjson import members, parse
from recorder.errors import ImportFailed
from recorder.events import Kind, Sender
from recorder.heads import Close
from recorder.providers.base import Provider

NAME = "frames"
TITLE = "JSON lines, one WebSocket frame each"

SENDERS: dict[str, Sender] = {
    **dict.fromkeys(("client", "send", "sent", "out", "outgoing", "outbound"), "client"),
    **dict.fromkeys(
        ("server", "provider", "receive", "received", "recv", "in", "incoming", "inbound"),
        "provider",
    ),
}
_NO_CODE = 1005  # RFC 6455, 7.1.5: a close frame without a code
_LATEST_MS = 10**12


class _Frame(NamedTuple):
    sender: Sender
    kind: Kind
    type: str
    body: bytes
    number: int | None
    at_ns: int | None


def read(source: Source, provider: Provider) -> Sequence[Conversation]:
    """One conversation on one WebSocket.

    A frame without `at_ms` has the offset of the one before it; offsets never go back.
    """
    conversation = Conversation(timed=False)
    channel = conversation.channel("ws", "")
    at_ns, expected = 0, None
    for number, text in _lines(source):
        try:
            frame = _frame(text)
            if frame.number is not None and expected not in (None, frame.number):
                raise ValueError(f'"n" is {frame.number} where {expected} was due: lines are lost')
        except ValueError as error:
            raise ImportFailed(
                f"{source.name} line {number}: {error}; mend that line or get the whole file again"
                " (nothing was imported)"
            ) from None
        expected = frame.number + 1 if frame.number is not None else expected
        if frame.at_ns is not None:
            conversation.timed = True
            at_ns = max(at_ns, frame.at_ns)
        conversation.takes.append(
            Take(at_ns, channel, frame.sender, frame.kind, frame.type, frame.body)
        )
    if not conversation.takes:
        raise ImportFailed(f"{source.name} has no frames: name a file with at least one line")
    return [conversation]


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers."""
    for number, line in enumerate(source.data.split(b"\n"), 1):
        try:
            text = line.decode().removeprefix("\ufeff") if number == 1 else line.decode()
        except UnicodeDecodeError as error:
            raise ImportFailed(
                f"{source.name} line {number}: byte {error.start + 1} is not UTF-8; save the file"
                " as UTF-8 (nothing was imported)"
            ) from None
        if text.strip():
            yield number, text


def _frame(text: str) -> _Frame:
    """The frame of a line; ValueError says what is wrong with it."""
    try:
        whole = parse(text)
        raw = members(text) if isinstance(whole, dict) else {}
    except ValueError:
        raise ValueError("not whole JSON (cut off?)") from None
    if whole == "close":
        return _Frame("client", "ws.close", str(_NO_CODE), Close(_NO_CODE).encode(), None, None)
    if not isinstance(whole, dict):
        raise ValueError('neither a JSON object nor "close"')
    sender = _sender(whole)
    number = whole.get("n")
    if number is not None and not _is_count(number):
        raise ValueError('"n" is not a whole number')
    at_ns = _offset(raw["at_ms"]) if "at_ms" in raw else None
    return _Frame(sender, *_payload(whole, raw), number, at_ns)


def _sender(line: dict[str, object]) -> Sender:
    direction = next((line[key] for key in ("dir", "direction") if key in line), None)
    sender = SENDERS.get(direction.lower()) if isinstance(direction, str) else None
    if sender is None:
        raise ValueError('"dir" must be "client" or "server"')
    return sender


def _payload(line: dict[str, object], raw: dict[str, str]) -> tuple[Kind, str, bytes]:
    present = [key for key in ("event", "text", "data", "base64") if key in line]
    if len(present) != 1:
        raise ValueError('one of "event", "text", "data" and "base64" must be there')
    key = present[0]
    value = line[key]
    if key == "event" and value == "close":
        return _close(line)
    if key == "base64":
        return "ws.binary", "", _binary(value)
    if key != "text" and isinstance(value, dict):
        return "ws.text", "", raw[key].encode()
    if key == "event" or not isinstance(value, str):
        raise ValueError(f'"{key}" is not {"a JSON object" if key == "event" else "text"}')
    try:
        return "ws.text", "", value.encode()
    except UnicodeEncodeError:
        raise ValueError(f'"{key}" has a lone surrogate, which no text frame can carry') from None


def _close(line: dict[str, object]) -> tuple[Kind, str, bytes]:
    code, reason = line.get("code", _NO_CODE), line.get("reason", "")
    if not _is_count(code) or not isinstance(reason, str):
        raise ValueError('"code" must be a number and "reason" text')
    return "ws.close", str(code), Close(int(str(code)), reason).encode()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _binary(value: object) -> bytes:
    try:
        return b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError('"base64" is not base64') from None


def _offset(raw: str) -> int:
    """Nanoseconds of an `at_ms` as it stands in the line."""
    try:
        value = Decimal(raw)
    except ArithmeticError:
        raise ValueError('"at_ms" is not a number') from None
    if not 0 <= value <= _LATEST_MS:
        raise ValueError('"at_ms" must be an offset in milliseconds from the start, 0 or more')
    return round(value * 1_000_000)
