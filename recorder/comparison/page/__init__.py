"""A comparison as one HTML page that needs nothing else: no network, no other file.

It is made as the page of a session is (docs/report.md), of the same shared parts.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from recorder.report.web import page

_SCRIPTS: Final = ("base", "panel", "paired", "spread", "money", "listening", "main")


def render(facts: Mapping[str, Any], sounds: Sequence[bytes]) -> str:
    """The page of what `gather` found. `sounds`: FLAC, each by its place."""
    title = f"{'SIMULATED: ' if facts['head']['simulated'] else ''}Trial {facts['head']['trial']}"
    sound = json.dumps([b64encode(each).decode() for each in sounds])
    return page("recorder.comparison.page", _SCRIPTS, title, facts, sound)
