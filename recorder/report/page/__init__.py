"""One session as one HTML page that needs nothing else: no network, no other file.

Scripts and styles are files beside this one. The page's policy names them by their digests and
allows nothing else; what a session says stands in the page as JSON and is only ever set as text.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

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
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""What HTML or JavaScript would read, and halves of characters, which have no UTF-8."""
_PLACE = re.compile(r"\{\{(\w+)\}\}")


class Audio(NamedTuple):
    """The sound of a page: `data` to be embedded, or the name of a `file` beside the page."""

    type: str
    data: bytes = b""
    file: str = ""


def render(data: Mapping[str, Any], audio: Audio | None = None) -> str:
    """The page of what `gather` found. `audio`: both sides on the session's clock."""
    script, style = _script(), _file("page.css")
    played = None if audio is None else {"type": audio.type, "file": audio.file or None}
    places = {
        "title": html.escape(f"Session {data['session']['id']}"),
        "policy": html.escape(_policy(script, style)),
        "style": style,
        "script": script,
        "data": as_json({**data, "audio": played}),
        "sound": b64encode(audio.data).decode() if audio else "",
    }
    return _PLACE.sub(lambda found: places[found[1]], _file("page.html"))


def as_json(data: Any) -> str:
    """JSON that can stand in a `script` element: it has nothing that HTML would read."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _policy(script: str, style: str) -> str:
    """The content policy: these scripts and styles, sound made in the page or lying beside it."""
    rules = (
        "default-src 'none'",
        f"script-src '{_digest(script)}'",
        f"style-src '{_digest(style)}'",
        "media-src blob: file: 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _script() -> str:
    """All scripts as one, in a scope of their own."""
    parts = "\n".join(_file(f"{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


@cache
def _file(name: str) -> str:
    return files("recorder.report.page").joinpath(name).read_text(encoding="utf-8")
