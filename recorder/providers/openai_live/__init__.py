"""GPT-Live, OpenAI's full-duplex voice API: WebSocket, sideband, fork and REST, Azure paths too."""

from __future__ import annotations

from typing import Final

from recorder.providers.base import Endings, Links, Listener, Tracker, Webhooks
from recorder.providers.neutral import Decoder
from recorder.providers.openai_live import links, webhooks
from recorder.providers.openai_live.capture import LiveTracker
from recorder.providers.openai_live.conduct import CONDUCT
from recorder.providers.openai_live.decode import LiveDecoder
from recorder.providers.openai_live.describe import describe
from recorder.providers.openai_live.errors import error_event
from recorder.providers.openai_live.personal import PERSONAL
from recorder.providers.openai_live.playback import Playback
from recorder.providers.openai_live.routing import PATHS, correlate, route, sdk_hints
from recorder.providers.openai_live.rules import RULES
from recorder.providers.openai_live.turns import Rule
from recorder.providers.openai_live.usage import LiveUsage
from recorder.providers.usage import UsageReader

NAME = "openai-live"
TITLE = "OpenAI GPT-Live"
PREFIX = "/openai"
UPSTREAM = "https://api.openai.com"
ENDINGS: Endings | None = None
LINKS: Links | None = links
WEBHOOKS: Webhooks | None = webhooks
RULE: Final = Rule()
"""By which turns are found; a change of it makes the read models of every session anew."""

__all__ = [
    "CONDUCT",
    "ENDINGS",
    "LINKS",
    "NAME",
    "PATHS",
    "PERSONAL",
    "PREFIX",
    "RULE",
    "RULES",
    "TITLE",
    "UPSTREAM",
    "WEBHOOKS",
    "correlate",
    "decoder",
    "describe",
    "error_event",
    "listener",
    "minted_ns",
    "route",
    "sdk_hints",
    "tracker",
    "usage",
]


def tracker() -> Tracker:
    """A fresh tracker for one session."""
    return LiveTracker()


def listener() -> Listener:
    """A fresh listener for one session."""
    return Playback()


def decoder() -> Decoder:
    """A fresh decoder for one session."""
    return LiveDecoder(RULE)


def usage() -> UsageReader:
    """A fresh reader of what one session used."""
    return LiveUsage()


def minted_ns(name: str) -> int | None:
    """None: a session's id is opaque."""
    return None
