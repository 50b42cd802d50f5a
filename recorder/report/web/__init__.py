"""What pages of this program share: one HTML file that needs nothing else, no network.

Scripts and styles are files beside the page's own. Its policy names them by their digests and
allows nothing else; what was recorded stands in the page as JSON and is only ever set as text.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

_SHARED: Final = "recorder.report.web"
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""What HTML or JavaScript would read, and halves of characters, which have no UTF-8."""
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page(
    package: str, scripts: Sequence[str], title: str, data: Mapping[str, Any], sound: str = ""
) -> str:
    """A package's `page.html` and `page.css` in the frame that pages share, with the `scripts` of
    that package after the shared ones. `sound` is text in which HTML reads nothing, as base64."""
    script, style = _script(package, tuple(scripts)), _style(package)
    places = {
        "title": html.escape(title),
        "policy": html.escape(_policy(script, style)),
        "style": style,
        "content": _file(package, "page.html"),
        "script": script,
        "data": as_json(data),
        "sound": sound,
    }
    return _PLACE.sub(lambda found: places[found[1]], _file(_SHARED, "frame.html"))


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
def _script(package: str, names: tuple[str, ...]) -> str:
    """All scripts as one, in a scope of their own."""
    shared = [_file(_SHARED, f"{name}.js") for name in ("elements", "dialog", "theme")]
    parts = "\n".join([*shared, *(_file(package, f"{name}.js") for name in names)])
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


@cache
def _style(package: str) -> str:
    return _file(_SHARED, "base.css") + _file(package, "page.css")


@cache
def _file(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")
