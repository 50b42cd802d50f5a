"""`session.json` of an exported tape: everything of it but its events and its audio."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from recorder.capture.importers.folder_lines import choice, hexadecimal, integer, string
from recorder.capture.importers.rawjson import parse
from recorder.chain import LINK_BYTES
from recorder.events import Sender
from recorder.spans import Codec, is_rate
from recorder.store.base import (
    ChannelKind,
    ChannelRow,
    Form,
    Sealed,
    SegmentRow,
    SessionRow,
    Status,
)

FORMAT = "conversation-tape/1"
EXTENSIONS: Mapping[Codec, str] = {"pcm16": "pcm", "pcmu": "ulaw", "pcma": "alaw"}

_FileForm = Literal["flac", "raw"]  # what other programs can read
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_STREAM_LENGTH = 48


class Tape(NamedTuple):
    """What the document tells; each `Sealed` still lacks its data, which is in a file."""

    row: SessionRow
    channels: list[ChannelRow]
    segments: list[tuple[SegmentRow, Sealed]]


def audio_file(row: SegmentRow, form: Form) -> str:
    """Where a segment's audio is, from the folder: `audio/001-provider-item_1.flac`."""
    stream = _UNSAFE.sub("-", row.stream)[:_STREAM_LENGTH]
    extension = "flac" if form == "flac" else EXTENSIONS[row.codec]
    return f"audio/{row.number:03}-{row.sender}{'-' if stream else ''}{stream}.{extension}"


def document(tape: Tape) -> str:
    """The text of `session.json`: sorted keys, one a line."""
    row = tape.row
    fields: dict[str, object] = {
        "format": FORMAT,
        "id": row.id,
        "trial": row.trial,
        "provider": row.provider,
        "wall_ns": row.wall_ns,
        "scheme": row.scheme,
        "external_id": row.external_id,
        "model": row.model,
        "parent": row.parent,
        "status": row.status,
        "origin": row.origin,
        "ended_ns": row.ended_ns,
        "events": row.events,
        "digest": (row.digest or b"").hex(),
        "channels": [
            {"channel": each.channel, "kind": each.kind, "target": each.target}
            for each in tape.channels
        ],
        "segments": [_segment(*each) for each in tape.segments],
    }
    return json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse_document(text: str) -> Tape:
    """The tape that a document describes; ValueError says what is wrong with it."""
    fields = parse(text)
    if not isinstance(fields, dict):
        raise ValueError("it is not a JSON object")
    if fields.get("format") != FORMAT:
        raise ValueError(f'its "format" is {fields.get("format")!r}; this program reads {FORMAT}')
    session = session_of(fields)
    row = SessionRow(
        session,
        string(fields, "trial"),
        string(fields, "provider"),
        integer(fields, "wall_ns"),
        string(fields, "scheme"),
        "",
        _optional(fields, "external_id"),
        _optional(fields, "model"),
        _optional(fields, "parent"),
        choice(fields, "status", Status),
        integer(fields, "ended_ns"),
        integer(fields, "events"),
        hexadecimal(fields, "digest"),
        string(fields, "origin"),
    )
    if row.scheme not in LINK_BYTES:
        known = " and ".join(LINK_BYTES)
        raise ValueError(f'its "scheme" is {row.scheme!r}; this program knows {known}')
    if row.status == "recording":
        raise ValueError('its "status" says that it is still being recorded')
    channels = [_parse_channel(session, each) for each in _list(fields, "channels")]
    segments = [_parse_segment(session, each) for each in _list(fields, "segments")]
    _unique("channels", [each.channel for each in channels])
    _unique("segments", [each.number for each, _ in segments])
    return Tape(row, channels, segments)


def session_of(fields: Mapping[str, Any]) -> str:
    """The id in a document; ValueError if there is none."""
    session = fields.get("id")
    if not isinstance(session, str) or not _ID.fullmatch(session):
        raise ValueError('its "id" is not that of a session')
    return session


def _segment(row: SegmentRow, sealed: Sealed) -> dict[str, object]:
    return {
        "number": row.number,
        "channel": row.channel,
        "sender": row.sender,
        "stream": row.stream,
        "codec": row.codec,
        "rate": row.rate,
        "channels": row.channels,
        "at_ns": row.at_ns,
        "size": sealed.size,
        "frames": sealed.frames,
        "sha256": sealed.sha256.hex(),
        "form": sealed.form,
        "tail": sealed.tail.hex(),
        "file": audio_file(row, sealed.form),
    }


def _parse_channel(session: str, fields: Any) -> ChannelRow:
    if not isinstance(fields, dict):
        raise ValueError('"channels" has something that is no channel')
    return ChannelRow(
        session,
        integer(fields, "channel"),
        choice(fields, "kind", ChannelKind),
        string(fields, "target"),
    )


def _rate(fields: dict[str, Any]) -> int:
    rate = integer(fields, "rate")
    if not is_rate(rate):
        raise ValueError(f'"rate" {rate} is no sample rate')
    return rate


def _parse_segment(session: str, fields: Any) -> tuple[SegmentRow, Sealed]:
    if not isinstance(fields, dict):
        raise ValueError('"segments" has something that is no segment')
    row = SegmentRow(
        session,
        integer(fields, "number"),
        integer(fields, "channel"),
        choice(fields, "sender", Sender),
        string(fields, "stream"),
        choice(fields, "codec", Codec),
        _rate(fields),
        integer(fields, "channels"),
        integer(fields, "at_ns"),
    )
    sealed = Sealed(
        session,
        row.number,
        integer(fields, "size"),
        integer(fields, "frames"),
        hexadecimal(fields, "sha256"),
        choice(fields, "form", _FileForm),
        b"",
        hexadecimal(fields, "tail"),
    )
    if fields.get("file") != audio_file(row, sealed.form):
        raise ValueError(
            f'"file" of segment {row.number} is not {audio_file(row, sealed.form)}, as it must be'
        )
    return row, sealed


def _optional(fields: Mapping[str, Any], name: str) -> str | None:
    return None if fields.get(name) is None else string(fields, name)


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    found = fields.get(name)
    if not isinstance(found, list):
        raise ValueError(f'"{name}" is not a list')
    return found


def _unique(name: str, numbers: Sequence[int]) -> None:
    if len(set(numbers)) < len(numbers):
        raise ValueError(f'"{name}" has a number twice')
