"""Changes to bodies in passing: the links of an answer, the webhook address in a request.

A change replaces one string of a JSON text, or adds one; every other byte stays. What was changed
is told on the tape, so that the body can be had both as it came and as it left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from recorder.capture.proxy.destinations import Destinations, relayed
from recorder.heads import RequestHead
from recorder.providers.base import Edit, Links, Provider

SERVER_URL = "server_url"
REWRITTEN = "rewritten"
Note = Callable[..., None]


def with_links(
    body: bytes,
    links: Links,
    provider: Provider,
    destinations: Destinations,
    base: str,
    note: Note,
) -> bytes:
    """An answer whose links lead back to `base`. Those that could not be relayed stay."""
    edits: list[Edit] = []
    told: list[dict[str, Any]] = []
    for start, end, place, name, url in links.find(body):
        if destinations.relays(provider, url):
            left = relayed(base, provider, url)
            edits.append(Edit(start, end, _content(left), f"{place}.{name}"))
            told.append({"place": place, name: {"came": url, "left": left}})
    if edits:
        note(REWRITTEN, replaced=told)
    return _edited(body, edits)


def with_address(head: RequestHead, body: bytes, provider: Provider, url: str, note: Note) -> bytes:
    """A request that has the provider deliver to `url`."""
    edits = provider.WEBHOOKS.addressed(head, body, url) if provider.WEBHOOKS else ()
    for edit in edits:
        note(SERVER_URL, place=edit.place, was=edit.was, url=url)
    return _edited(body, edits)


def _content(text: str) -> bytes:
    """A text as the content of a JSON string."""
    return json.dumps(text)[1:-1].encode()


def _edited(body: bytes, edits: Sequence[Edit]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for edit in edits:
        pieces += (body[done : edit.start], edit.text)
        done = edit.end
    return b"".join((*pieces, body[done:]))
