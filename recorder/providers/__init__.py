"""The providers, by name. One more provider is one more module and one more line here."""

from __future__ import annotations

import re

from recorder.errors import RecorderError
from recorder.providers import openai_live, openai_realtime, vapi
from recorder.providers.base import Provider

PROVIDERS: dict[str, Provider] = {
    openai_realtime.NAME: openai_realtime,
    openai_live.NAME: openai_live,
    vapi.NAME: vapi,
}
SHARING: dict[str, re.Pattern[str]] = {openai_live.NAME: openai_live.PATHS}
"""Providers under the prefix of another one, and at its address: the paths below it that are
theirs."""


def provider(name: str) -> Provider:
    """The provider called `name`; RecorderError lists the known ones."""
    try:
        return PROVIDERS[name]
    except KeyError:
        known = ", ".join(sorted(PROVIDERS))
        raise RecorderError(f"unknown provider {name!r}: known are {known}") from None
