"""Whether a live upgrade or request goes where a recorded one went, and asks for the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recorder.heads import RequestHead
from replay.match.compare import Difference, Matcher
from replay.match.jsontext import Json
from replay.match.requests import target_value
from replay.script import ExchangeScript, SocketScript

UPGRADE = "ws.open"
"""The type of an upgrade, for rules; that of a request is what the tape calls it (`POST /call`)."""


class Targets:
    """Compares requests. A path may also carry the `prefix` of the proxy, or be without it."""

    def __init__(self, matcher: Matcher, prefix: str, exchanges: Iterable[ExchangeScript]) -> None:
        self._matcher, self._prefix = matcher, prefix
        self._types = {
            (script.request.method, script.request.path): script.type for script in exchanges
        }

    def differs(self, want: dict[str, Json], got: dict[str, Json]) -> Difference | None:
        """What of a live request (or upgrade) differs from a recorded one."""
        path = str(got["path"])
        if want["path"] in (self._prefix + path, path.removeprefix(self._prefix)):
            got = {**got, "path": want["path"]}
        type_ = self._types.get((want.get("method", ""), want["path"]), UPGRADE)
        return self._matcher.match_values(type_, want, got)

    def socket(
        self, free: Sequence[SocketScript], head: RequestHead
    ) -> tuple[SocketScript | None, Difference | None]:
        """The first of the `free` WebSockets that was opened like this, else what differs from the
        likeliest: one with the same path, if there is one."""
        nearest: Difference | None = None
        for script in free:
            if script.request is None:
                return script, None
            found = self.differs(target_value(script.request), target_value(head))
            if found is None:
                return script, None
            if nearest is None or nearest.path == "$.path":
                nearest = found
        return None, nearest
