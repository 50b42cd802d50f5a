"""The HTTP exchanges of a tape: which recorded answer a live request gets, and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from recorder.events import Message
from recorder.heads import RequestHead
from replay.match.compare import Difference
from replay.match.jsontext import Json
from replay.match.requests import request_value
from replay.player.line import Pace
from replay.script import ExchangeScript

_REDACTED = re.compile(rb'"\[redacted(?::([0-9a-f]{12}))?\]"')
Differs = Callable[[dict[str, Json], dict[str, Json]], Difference | None]


class _Answer(NamedTuple):
    at_ns: int
    message: Message


class Exchanges:
    """Answers requests. Each of `scripts` is used once, in order among equal requests, and has to
    be; one of `spare` answers whatever else it fits, as often as it is asked. `differs` compares
    a recorded and a live request. A redacted key in an answer is replaced by a made-up one that
    begins with `key_prefix`, since a marker cannot be sent where keys go (RFC 6455, 4.1: a
    sub-protocol is a token)."""

    def __init__(
        self,
        scripts: Sequence[ExchangeScript],
        spare: Sequence[ExchangeScript],
        differs: Differs,
        pace: Pace,
        key_prefix: str,
    ) -> None:
        self.unused = list(scripts)
        self._spare, self._differs, self._pace = list(spare), differs, pace
        self._key = key_prefix.encode()
        self._pending: list[_Answer] = []

    def ask(self, message: Message, now: int) -> ExchangeScript | Difference | None:
        """Take a request: the exchange it is, whose answer is then pending, else what differs from
        the likeliest one (None if there is none)."""
        found = self._find(request_value(RequestHead.decode(message.body), message.payload))
        if isinstance(found, ExchangeScript):
            head, body = found.response.encode(), self._with_keys(found.received)
            answer = Message(message.channel, "http.response", head, body)
            self._pending.append(_Answer(now + self._pace.scaled(found.gap_ns), answer))
            self._use(found)
        return found

    def _with_keys(self, body: bytes) -> bytes:
        return _REDACTED.sub(
            lambda marker: b'"%sreplay_%s"' % (self._key, marker[1] or b"0" * 12), body
        )

    def _find(self, got: dict[str, Json]) -> ExchangeScript | Difference | None:
        nearest: Difference | None = None
        for script in (*self.unused, *self._spare):
            found = self._differs(request_value(script.request, script.sent), got)
            if found is None:
                return script
            is_same_target = not found.path.startswith(("$.method", "$.path"))
            nearest = found if nearest is None or is_same_target else nearest
        return nearest

    def _use(self, script: ExchangeScript) -> None:
        if script in self.unused:
            self.unused.remove(script)
        else:  # the next equal request gets the next answer
            self._spare.remove(script)
            self._spare.append(script)

    def due(self, now: int) -> list[Message]:
        """The answers to be sent by `now`."""
        ready = [answer.message for answer in self._pending if answer.at_ns <= now]
        if ready:
            self._pending = [answer for answer in self._pending if answer.at_ns > now]
        return ready

    def deadline(self) -> int | None:
        """When the next answer is due."""
        return min((answer.at_ns for answer in self._pending), default=None)

    def drop(self) -> None:
        """Send no more answers."""
        self._pending.clear()
