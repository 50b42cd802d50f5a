"""The HTTP exchanges of a tape: which recorded answer a live request gets, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from recorder.events import Message
from recorder.heads import RequestHead
from replay.match.compare import Difference
from replay.match.jsontext import Json
from replay.match.requests import request_value
from replay.player.line import Pace
from replay.script import ExchangeScript

Differs = Callable[[dict[str, Json], dict[str, Json]], Difference | None]


class _Answer(NamedTuple):
    at_ns: int
    message: Message
    script: ExchangeScript


class Exchanges:
    """Answers requests. Each of `scripts` is used once, in order among equal requests, and has to
    be, unless `tolerates` says of its type that it may be missing: then the last answer also serves
    whoever asks once more. One of `spare` answers whatever else it fits, as often as it is asked.
    `differs` compares a recorded and a live request; `dress` completes the body of an answer."""

    def __init__(
        self,
        scripts: Sequence[ExchangeScript],
        spare: Sequence[ExchangeScript],
        differs: Differs,
        pace: Pace,
        tolerates: Callable[[str], bool],
        dress: Callable[[bytes], bytes],
    ) -> None:
        self.unused = list(scripts)
        self.used = 0
        self.notes: list[str] = []
        self._spare, self._differs, self._pace = list(spare), differs, pace
        self._tolerates, self._dress = tolerates, dress
        self._again: list[ExchangeScript] = []  # tolerated ones that were used, the latest first
        self._open = [script for script in scripts if not tolerates(script.type)]
        self._pending: list[_Answer] = []

    def ask(self, message: Message, now: int) -> ExchangeScript | Difference | None:
        """Take a request: the exchange it is, whose answer is then pending, else what differs from
        the likeliest one (None if there is none)."""
        found = self._find(request_value(RequestHead.decode(message.body), message.payload))
        if isinstance(found, ExchangeScript):
            head, body = found.response.encode(), self._dress(found.received)
            answer = Message(message.channel, "http.response", head, body)
            self._pending.append(_Answer(now + self._pace.scaled(found.gap_ns), answer, found))
            self._use(found)
        return found

    def reached(self, seq: int) -> bool:
        """Whether all that had been asked before step `seq` was asked, and what had been answered
        was answered."""
        pending = [answer.script for answer in self._pending]
        return all(
            script.seq > seq or (script in pending and script.end_seq > seq)
            for script in self._open
        )

    def was_asked(self, seq: int, types: frozenset[str]) -> bool:
        """Whether all requests of these types that were before step `seq` have come."""
        return all(script.seq > seq or script.type not in types for script in self.unused)

    def _find(self, got: dict[str, Json]) -> ExchangeScript | Difference | None:
        nearest: Difference | None = None
        is_near = False
        for script in (*self.unused, *self._again, *self._spare):
            found = self._differs(request_value(script.request, script.sent), got)
            if found is None:
                return script
            is_same_target = not found.path.startswith(("$.method", "$.path"))
            if nearest is None or (is_same_target and not is_near):
                nearest, is_near = found, is_same_target
        return nearest

    def _use(self, script: ExchangeScript) -> None:
        if script in self.unused:
            self.unused.remove(script)
            self.used += 1
            if self._tolerates(script.type):
                self._again.insert(0, script)
        elif script in self._again:
            self.notes.append(f"{script.type} came once more than on the tape")
        else:  # the next equal request gets the next answer
            self._spare.remove(script)
            self._spare.append(script)

    @property
    def may_be_missing(self) -> bool:
        """Whether the tape can do without all that was not asked for."""
        return all(self._tolerates(script.type) for script in self.unused)

    def forgive(self) -> bool:
        """Go on without what may be missing; False if something else is missing, too."""
        if not self.may_be_missing:
            return False
        self.notes += [f"{script.type} (step {script.seq}) did not come" for script in self.unused]
        self.unused.clear()
        return True

    def due(self, now: int) -> list[Message]:
        """The answers to be sent by `now`."""
        ready = [answer for answer in self._pending if answer.at_ns <= now]
        if ready:
            self._pending = [answer for answer in self._pending if answer.at_ns > now]
            done = [answer.script for answer in ready]
            self._open = [script for script in self._open if script not in done]
        return [answer.message for answer in ready]

    def deadline(self) -> int | None:
        """When the next answer is due."""
        return min((answer.at_ns for answer in self._pending), default=None)

    def drop(self) -> None:
        """Send no more answers."""
        self._pending.clear()
