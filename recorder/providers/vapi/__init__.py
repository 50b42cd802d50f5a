"""Vapi: REST, the webhooks that it sends, and the WebSocket that carries a call's audio."""

from __future__ import annotations

from recorder.providers.base import Endings, Links, Listener, Tracker, Webhooks
from recorder.providers.neutral import Decoder
from recorder.providers.usage import UsageReader
from recorder.providers.vapi import links, webhooks
from recorder.providers.vapi.capture import VapiTracker
from recorder.providers.vapi.conduct import CONDUCT
from recorder.providers.vapi.decode import VapiDecoder
from recorder.providers.vapi.describe import describe
from recorder.providers.vapi.errors import error_event
from recorder.providers.vapi.personal import PERSONAL
from recorder.providers.vapi.playback import Playback
from recorder.providers.vapi.routing import correlate, minted_ns, route, sdk_hints
from recorder.providers.vapi.rules import RULES
from recorder.providers.vapi.usage import VapiUsage

NAME = "vapi"
TITLE = "Vapi"
PREFIX = "/vapi"
UPSTREAM = "https://api.vapi.ai"
ENDINGS: Endings | None = None
LINKS: Links | None = links
WEBHOOKS: Webhooks | None = webhooks

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
    return VapiTracker()


def listener() -> Listener:
    """A fresh listener for one session."""
    return Playback()


def decoder() -> Decoder:
    """A fresh decoder for one session."""
    return VapiDecoder()


def usage() -> UsageReader:
    """A fresh reader of what one session used."""
    return VapiUsage()
