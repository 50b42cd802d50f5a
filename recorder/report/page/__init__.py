"""One session as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from recorder.report.web import page

_SCRIPTS: Final = (
    "base",
    "evidence",
    "summary",
    "axis",
    "timeline",
    "rows",
    "player",
    "turns",
    "latency",
    "cost",
    "events",
    "main",
)


class Audio(NamedTuple):
    """The sound of a page: `data` to be embedded, or the name of a `file` beside the page."""

    type: str
    data: bytes = b""
    file: str = ""


def render(data: Mapping[str, Any], audio: Audio | None = None) -> str:
    """The page of what `gather` found. `audio`: both sides on the session's clock."""
    played = None if audio is None else {"type": audio.type, "file": audio.file or None}
    sound = b64encode(audio.data).decode() if audio else ""
    title = f"Session {data['session']['id']}"
    return page("recorder.report.page", _SCRIPTS, title, {**data, "audio": played}, sound)
