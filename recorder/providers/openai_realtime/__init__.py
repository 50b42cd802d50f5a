"""OpenAI Realtime API over WebSocket and REST, GA and beta shapes, Azure paths included."""

from __future__ import annotations

from recorder.providers.base import Endings, Links, Listener, Tracker, Webhooks
from recorder.providers.neutral import Decoder
from recorder.providers.openai_realtime import endings
from recorder.providers.openai_realtime.capture import RealtimeTracker
from recorder.providers.openai_realtime.conduct import CONDUCT
from recorder.providers.openai_realtime.decode import RealtimeDecoder
from recorder.providers.openai_realtime.describe import describe
from recorder.providers.openai_realtime.errors import error_event
from recorder.providers.openai_realtime.minted import minted_ns
from recorder.providers.openai_realtime.personal import PERSONAL
from recorder.providers.openai_realtime.playback import Playback
from recorder.providers.openai_realtime.routing import correlate, route, sdk_hints
from recorder.providers.openai_realtime.rules import RULES
from recorder.providers.openai_realtime.usage import RealtimeUsage
from recorder.providers.usage import UsageReader

NAME = "openai"
TITLE = "OpenAI Realtime API"
PREFIX = "/openai"
UPSTREAM = "https://api.openai.com"
ENDINGS: Endings | None = endings
LINKS: Links | None = None
WEBHOOKS: Webhooks | None = None

__all__ = [
    "CONDUCT",
    "ENDINGS",
    "LINKS",
    "NAME",
    "PERSONAL",
    "PREFIX",
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
    return RealtimeTracker()


def listener() -> Listener:
    """A fresh listener for one session."""
    return Playback()


def decoder() -> Decoder:
    """A fresh decoder for one session."""
    return RealtimeDecoder()


def usage() -> UsageReader:
    """A fresh reader of what one session used."""
    return RealtimeUsage()
