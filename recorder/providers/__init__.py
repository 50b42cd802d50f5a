"""The providers, by name. One more provider is one more module and one more line here."""

from __future__ import annotations

from recorder.errors import RecorderError
from recorder.providers import openai_realtime, vapi
from recorder.providers.base import Provider

PROVIDERS: dict[str, Provider] = {
    openai_realtime.NAME: openai_realtime,
    vapi.NAME: vapi,
}


def provider(name: str) -> Provider:
    """The provider called `name`; RecorderError lists the known ones."""
    try:
        return PROVIDERS[name]
    except KeyError:
        known = ", ".join(sorted(PROVIDERS))
        raise RecorderError(f"unknown provider {name!r}: known are {known}") from None
