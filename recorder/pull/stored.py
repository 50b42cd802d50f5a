"""What a session already has: the answers on its tape, each exchange put together again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from recorder.events import Sender
from recorder.heads import RequestHead, ResponseHead, header
from recorder.recording import rows_with_refs
from recorder.store.base import Store, stored_body


@dataclass
class Told:
    """One HTTP exchange of a tape. Bodies are as stored: without secrets, and without audio.

    `is_whole` says that the answer came to its end.
    """

    request: RequestHead
    response: ResponseHead | None = None
    sent: bytes = b""
    received: bytes = b""
    is_whole: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it is a whole answer of 2xx."""
        return self.is_whole and self.response is not None and 200 <= self.response.status < 300


@dataclass
class _Open:
    told: Told
    pieces: dict[Sender, list[bytes]] = field(
        default_factory=lambda: {"client": [], "provider": [], "recorder": []}
    )


def exchanges(store: Store, session: str) -> list[Told]:
    """The HTTP exchanges of a session, in the order in which they were asked."""
    kinds = {row.channel: row.kind for row in store.channels(session)}
    if "http" not in kinds.values():
        return []
    opened: dict[int, _Open] = {}
    for row, refs in rows_with_refs(store, session):
        body = b"" if kinds.get(row.channel) != "http" else stored_body(row)
        if row.kind == "http.request":
            opened[row.channel] = _Open(Told(RequestHead.decode(body)))
        found = opened.get(row.channel)
        if found is None:
            continue
        if row.kind == "http.response":
            found.told.response = ResponseHead.decode(body)
        elif row.kind == "http.chunk":
            found.pieces[row.sender].append(body)
            if row.sender == "provider" and not body and not refs:
                found.told.is_whole = True
    return [_joined(found) for found in opened.values()]


def _joined(found: _Open) -> Told:
    found.told.sent = b"".join(found.pieces["client"])
    found.told.received = b"".join(found.pieces["provider"])
    return found.told


def fetched(told: list[Told]) -> Iterator[str]:
    """The paths whose content is there: answered whole, themselves or where they redirect to."""
    leads = {
        one.request.path: urlsplit(header(one.response.headers, "location") or "").path
        for one in told
        if one.response is not None and 300 <= one.response.status < 400
    }
    good = {one.request.path for one in told if one.is_good}
    for path in {one.request.path for one in told}:
        at, seen = path, set[str]()
        while at not in good and at in leads and at not in seen:
            seen.add(at)
            at = leads[at]
        if at in good:
            yield path
