"""One pull: what is new at the provider goes into the store, what is there already stays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from recorder.capture.encode import SecretLeft
from recorder.capture.importers.exchange import Exchange
from recorder.clock import Clock
from recorder.heads import RequestHead
from recorder.pull import vapi
from recorder.pull.client import Api, Refused
from recorder.pull.sameness import digest, is_same
from recorder.pull.shelf import Part, Shelf, Unreadable, part
from recorder.pull.stored import exchanges, fetched

_CONTROL = None
_GONE = frozenset({404, 410})
_UNAUTHORISED = frozenset({401, 402, 403})


_Question = tuple[str, str, str, bytes]


class Wish(NamedTuple):
    """What is to be pulled: single calls, or all of an account (of one assistant, since a time)."""

    calls: tuple[str, ...] = ()
    since: datetime | None = None
    assistant: str | None = None
    recordings: bool = True


class Entry(NamedTuple):
    """A call to look at, and what a list told of it: when it was made, and whether that is what
    the store has already; then `files` are those that it lacks."""

    id: str
    made: datetime | None = None
    is_known: bool = False
    files: tuple[str, ...] = ()


class _Kept(NamedTuple):
    """What the store has of a call: the last answer, and the paths of its files."""

    answer: bytes | None = None
    files: frozenset[str] = frozenset()


class _Verdict(Enum):
    """What the store had of a call before."""

    FRESH = "no answer"
    CHANGED = "another answer"
    SAME = "this answer"


@dataclass
class Tally:
    """What a pull came to, in calls and files. `problems` are the single things that failed."""

    fresh: int = 0
    changed: int = 0
    same: int = 0
    live: int = 0
    recordings: int = 0
    logs: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, verdict: _Verdict, files: Iterable[str]) -> None:
        """One call is done."""
        self.fresh += verdict is _Verdict.FRESH
        self.changed += verdict is _Verdict.CHANGED
        self.same += verdict is _Verdict.SAME
        for name in files:
            self.recordings += vapi.is_recording(name)
            self.logs += not vapi.is_recording(name)


class Puller:
    """Pulls from Vapi through `api` onto the tapes of `shelf`."""

    def __init__(self, api: Api, shelf: Shelf, clock: Clock, wish: Wish) -> None:
        self.tally = Tally()
        self._api, self._shelf, self._clock, self._wish = api, shelf, clock, wish
        self._control: dict[_Question, bytes] | None = None

    def assistants(self) -> None:
        """The assistants, or the one that is wished for; nothing where only calls are."""
        if self._wish.calls:
            return
        if self._wish.assistant:
            self._note(self._api.get(f"/assistant/{self._wish.assistant}"))
            return
        for page in vapi.pages(self._api, "/assistant", {}):
            self._note(page.exchange)

    def calls(self) -> list[Entry]:
        """The calls that are wished for, the oldest first."""
        if self._wish.calls:
            return [Entry(key) for key in dict.fromkeys(map(str.lower, self._wish.calls))]
        query = {}
        if self._wish.assistant:
            query["assistantId"] = self._wish.assistant
        if self._wish.since:
            query["createdAtGe"] = vapi.stamp(self._wish.since)
        found = [
            self._entry(item)
            for page in vapi.pages(self._api, "/call", query)
            for item in page.items
        ]
        return found[::-1]

    def analytics(self, calls: list[Entry]) -> None:
        """The sums of the time from which calls are wished for; they are of the whole account."""
        start = self._wish.since or next((entry.made for entry in calls if entry.made), None)
        if self._wish.calls or self._wish.assistant or start is None:
            return
        now = datetime.fromtimestamp(self._clock.wall_ns() / 1e9, UTC)
        try:
            self._note(self._api.post("/analytics", vapi.analytics(start, now)))
        except Refused as error:
            self.tally.problems.append(str(error))

    def take(self, entry: Entry) -> None:
        """One call with its files. What fails for this call alone is a problem of the tally."""
        row = self._shelf.row(entry.id)
        if row is not None and self._shelf.is_live(row):
            self.tally.live += 1
            return
        try:
            self._take(entry)
        except (Refused, SecretLeft) as error:
            if isinstance(error, Refused) and error.status in _UNAUTHORISED:
                raise
            self.tally.problems.append(f"call {entry.id}: {error}")

    def _take(self, entry: Entry) -> None:
        parts: list[Part] = []
        verdict, files = _Verdict.SAME, entry.files
        if not entry.is_known:
            exchange = self._api.get(f"/call/{entry.id}")
            call, kept = vapi.call(exchange), self._kept(entry.id)
            verdict = self._verdict(exchange, kept.answer)
            if verdict is not _Verdict.SAME:
                parts.append(Part(exchange))
            files = self._lacking(entry.id, call, kept)
        had: list[str] = []
        for name in files:
            found = self._file(entry.id, name)
            had += [name] if found else []
            parts += found
        if parts:
            self._shelf.put(entry.id, parts)
        self.tally.count(verdict, had)

    def _kept(self, key: str) -> _Kept:
        row = self._shelf.row(key)
        if row is None:
            return _Kept()
        told = exchanges(self._shelf.store, row.id)
        path = f"/call/{key}"
        answers = [one.received for one in told if one.is_good and one.request.path == path]
        return _Kept(answers[-1] if answers else None, frozenset(fetched(told)))

    def _lacking(self, key: str, call: dict[str, Any], kept: _Kept) -> tuple[str, ...]:
        """The files of a call that the store lacks."""
        names = vapi.artifacts(call, recordings=self._wish.recordings)
        return tuple(name for name in names if f"/call/{key}/{name}" not in kept.files)

    def _verdict(self, exchange: Exchange, known: bytes | None) -> _Verdict:
        if known is None:
            return _Verdict.FRESH
        same = digest(known) == digest(self._shelf.clean(exchange.received))
        return _Verdict.SAME if same else _Verdict.CHANGED

    def _file(self, key: str, name: str) -> list[Part]:
        """One file. One that is not there (not yet, or not any more) is left for another time; one
        that cannot be had is a problem of its own and does not keep the rest from being stored."""
        try:
            chain = self._api.follow(f"/call/{key}/{name}")
            return [part(exchange) for exchange in chain]
        except (Refused, Unreadable) as error:
            if not (isinstance(error, Refused) and error.status in _GONE):
                self.tally.problems.append(f"call {key}: {error}")
            return []

    def _entry(self, item: dict[str, Any]) -> Entry:
        key = item["id"].lower()
        kept = self._kept(key)
        is_known = kept.answer is not None and self._is_told(kept.answer, item)
        files = self._lacking(key, item, kept) if is_known else ()
        return Entry(key, vapi.created(item), is_known, files)

    def _is_told(self, stored: bytes, item: dict[str, Any]) -> bool:
        """Whether a call is told as it is in the store. Words that are hidden have to be searched
        for."""
        if self._shelf.hides_words:
            return digest(stored) == digest(self._shelf.clean(json.dumps(item).encode()))
        return is_same(stored, item, self._shelf)

    def _note(self, exchange: Exchange) -> None:
        """Keep an answer that belongs to no call, unless it is the last one to this question."""
        if self._control is None:
            row = self._shelf.row(_CONTROL)
            told = exchanges(self._shelf.store, row.id) if row else []
            self._control = {
                _question(one.request, one.sent): digest(one.received)
                for one in told
                if one.is_good
            }
        question = _question(exchange.request, exchange.sent)
        answer = digest(self._shelf.clean(exchange.received))
        if self._control.get(question) != answer:
            self._shelf.put(_CONTROL, [Part(exchange)])
            self._control[question] = answer


def _question(request: RequestHead, sent: bytes) -> _Question:
    return request.method, request.path, request.query, sent
