"""Answers that are looked at whole: those that make a session, for its id. None has a URL in it."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.heads import RequestHead
from recorder.providers.base import Link
from recorder.providers.openai_live.routing import makes_session


def within(request: RequestHead) -> bool:
    """Whether an answer names a session that it has made."""
    return makes_session(request)


def find(body: bytes) -> Sequence[Link]:
    """None: the client reaches everything under the address that it was given."""
    return ()


def leads_to(host: str) -> bool:
    """Never: see `find`."""
    return False
