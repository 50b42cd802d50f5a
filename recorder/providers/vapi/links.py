"""The URLs in a call that lead past the recorder: its socket, its listening socket, its control.

Only the call itself has them, at `transport.websocketCallUrl`, `monitor.listenUrl` and
`monitor.controlUrl`: as an answer, in the list of `GET /call`, and in the `results` of a batch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from recorder.heads import RequestHead
from recorder.providers.base import Link
from recorder.providers.vapi.places import Path, places, shown, text

_PLACES = frozenset(
    {("transport", "websocketCallUrl"), ("monitor", "listenUrl"), ("monitor", "controlUrl")}
)
_NAMES = re.compile(rb'"(?:websocketCallUrl|listenUrl|controlUrl)"')
_DEPTH = 4  # {"results": [{"monitor": {…
_PATHS = re.compile(r"/(?:v2/)?call(?:/|\Z)")
_FILES = re.compile(r"/(?:v2/)?call/[^/]+/.")


def within(request: RequestHead) -> bool:
    """Whether an answer is a call, or a list of calls; the files of a call are not."""
    return _PATHS.match(request.path) is not None and _FILES.match(request.path) is None


def find(body: bytes) -> Sequence[Link]:
    """The links of a call or of a list of calls."""
    return tuple(_links(body)) if _NAMES.search(body) else ()


def leads_to(host: str) -> bool:
    """Whether a host is Vapi's."""
    return host.lower().endswith(".vapi.ai")


def _links(body: bytes) -> Iterator[Link]:
    for kind, path, start, end in places(body, _DEPTH):
        if kind == "string" and path[-2:] in _PLACES and _is_call(path[:-2]):
            yield Link(start, end, shown(path[:-1]), str(path[-1]), text(body, start, end))


def _is_call(path: Path) -> bool:
    return (
        not path
        or (len(path) == 1 and isinstance(path[0], int))
        or (len(path) == 2 and path[0] == "results" and isinstance(path[1], int))
    )
