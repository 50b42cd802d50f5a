"""What a HAR holds as text, as base64, or in a file of its own."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any

from recorder.capture.importers.conversation import Source
from recorder.capture.importers.rawjson import parse
from recorder.events import Kind


def bytes_of(source: Source, content: Mapping[str, Any] | None) -> bytes:
    """The body of a `postData` or `content`; nothing where the HAR left it out."""
    if not content:
        return b""
    if content.get("_file"):
        return source.beside(content["_file"])
    text = content.get("text") or ""
    return _decoded(text) if content.get("encoding") == "base64" else text.encode()


def messages_of(source: Source, entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The messages of a socket's entry, from the entry or from the file that it names."""
    messages = entry.get("_webSocketMessages")
    if isinstance(messages, list):
        return messages
    name = ((entry.get("response") or {}).get("content") or {}).get("_file")
    if not name:
        return []
    lines = source.beside(name).decode().split("\n")
    return [_line(name, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def payload(kind: Kind, data: str) -> bytes:
    """The bytes of a message: base64 where it is binary, else its text."""
    return _decoded(data) if kind == "ws.binary" else data.encode()


def _line(name: str, number: int, line: str) -> Mapping[str, Any]:
    try:
        message = parse(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise ValueError(f"{name} line {number} is not a whole JSON object (cut off?)")
    return message


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("its data is not base64") from None
