"""One live WebSocket that plays one WebSocket of a tape: the causal gate and the pace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from recorder.events import Kind, Message
from recorder.heads import Close
from recorder.providers.base import Tracker
from replay.match.compare import Matcher
from replay.match.ids import rename
from replay.match.jsontext import parse
from replay.match.rulebook import value_at
from replay.match.sound import measure
from replay.player.ear import Ear
from replay.script import Expected, Planned, Script, SocketScript

_NS = 1_000_000_000
_AHEAD = 16  # how many expected messages a client may be ahead of the recorded order
_GRACE_NS = _NS  # how long an answer waits for a message that may be missing
_IN_FLIGHT_NS = _NS // 2  # of the tape: what is due so soon after a close was on its way
_LEAST_IN_FLIGHT_NS = _NS // 10  # the same in live time, whatever the speed
LOST = 1006


class Pace(NamedTuple):
    """How fast: `speed` 1.0 is as recorded, None is at once; `patience_ns` bounds each wait."""

    speed: float | None
    patience_ns: int

    def scaled(self, gap_ns: int) -> int:
        """A recorded time at this speed."""
        return 0 if self.speed is None else int(gap_ns / self.speed)


class Line:
    """The state of one connection. Times are monotonic ns.

    `released` tells when what is not of this connection had come that a step waits for, or None.
    """

    def __init__(
        self,
        channel: int,
        script: SocketScript,
        matcher: Matcher,
        tracker: Tracker,
        pace: Pace,
        now: int,
        released: Callable[[int], int | None],
    ) -> None:
        self.channel, self.script = channel, script
        self.over = False
        self.matched = [False] * len(script.expected)
        self.sent = 0  # planned messages that went out
        self.cleared = 0  # expected messages that came, or are no longer waited for, in a row
        self.notes: list[str] = []
        self._first_open = 0
        self._matcher, self._tracker, self._pace = matcher, tracker, pace
        self._released = released
        self._rules = matcher.book.rules
        self._answered = False
        self._clock = now + pace.scaled(script.gap_ns)  # when the last message was to go out
        self._cleared_ns = [self._clock]  # when the first n expected messages had come
        self.ear = Ear(script)
        self._progress_ns = self._clock

    # What the client sends

    def take(self, kind: Kind, body: bytes, now: int) -> bool:
        """Take a client message; False if it does not fit the tape."""
        insight = self._tracker.inspect(self.channel, "client", kind, "", body)
        type_ = insight.type
        if type_ in self._rules.ungated:
            self.ear.take(measure(body, insight.audio), now)
            return True
        index = self._fitting(kind, type_, body)
        if index is None:
            if type_ not in self._rules.tolerated:
                return False
            self.notes.append(f"{type_} came and is not on the tape")
            return True
        if any(not done for done in self.matched[self.cleared : index]):
            step = self.script.expected[index]
            self.notes.append(f"{step.type} (step {step.seq}) came before its turn")
        self._mark(index)
        self._clear(index, now)
        self._progress_ns = now
        return True

    def _fitting(self, kind: Kind, type_: str, body: bytes) -> int | None:
        """The expected message that this one is, and its ids are then bound."""
        passed: list[Expected] = []
        for index in self.open_steps():
            step = self.script.expected[index]
            same_form = step.kind == kind and step.type == type_
            if same_form and all(self._may_pass(step, other) for other in passed):
                if kind == "ws.binary":
                    found = step.body == body
                else:
                    found = self._matcher.match(type_, step.body, body) is None
                if found:
                    return index
            passed.append(step)
            if len(passed) > _AHEAD:
                break
        return None

    def open_steps(self) -> Iterator[int]:
        """The expected messages that did not come yet, in order."""
        indexes = range(self._first_open, len(self.matched))
        return (index for index in indexes if not self.matched[index])

    def _mark(self, index: int) -> None:
        self.matched[index] = True
        while self._first_open < len(self.matched) and self.matched[self._first_open]:
            self._first_open += 1

    def _may_pass(self, step: Expected, other: Expected) -> bool:
        """Whether `step` may come before `other`, which is before it on the tape."""
        rules = self._rules
        if other.type in rules.tolerated or {step.type, other.type} & rules.unordered:
            return True
        place = rules.parallel.get(step.type)
        if place is None or step.type != other.type:
            return False
        return all(value_at(parse(each.body), place) is not None for each in (step, other))

    def _clear(self, index: int, now: int) -> None:
        """Move on over all that came, and over what may be missing before `index`."""
        expected = self.script.expected
        while self.cleared < len(expected):
            at = self.cleared
            missing = at < index and expected[at].type in self._rules.tolerated
            if not (self.matched[at] or missing):
                break
            self.cleared += 1
            self._cleared_ns.append(now)

    # What the provider sends

    def due(self, now: int) -> Iterator[Message]:
        """What is to be sent by `now`, in order."""
        if not self._answered:
            if now < self._clock:
                return
            self._answered = True
            refused = self.script.answer.status != 101
            self.over = refused
            payload = self.script.refusal if refused else b""
            yield Message(self.channel, "ws.open", self.script.answer.encode(), payload)
        yield from self._until(now, now)

    def _until(self, horizon: int, now: int) -> Iterator[Message]:
        while not self.over and (step := self.next_step()) is not None:
            when = self._when(step)
            if when is None and self._skips(now):
                continue
            if when is None or when > horizon:
                return
            self._send(step, when, now)
            yield self._message(step)

    def _send(self, step: Planned, when: int, now: int) -> None:
        self._clock = when
        self._progress_ns = now
        self.sent += 1
        self.ear.passed += bool(step.loud)
        self.over = step.kind == "ws.close"

    def _message(self, step: Planned) -> Message:
        body = step.body
        if step.names:
            book = self._matcher.book
            body = rename(body, step.names, self._matcher.bindings, book, step.type)
        return Message(self.channel, step.kind, body)

    def next_step(self) -> Planned | None:
        """The provider's next message."""
        planned = self.script.planned
        return planned[self.sent] if self.sent < len(planned) else None

    def _when(self, step: Planned) -> int | None:
        """When a message is to go out; None while what it waits for has not come."""
        if self.cleared < step.after:
            return None
        released = self._released(step.seq)
        if released is None:
            return None
        opened = max(self._cleared_ns[step.after], released)
        if step.loud:
            heard = self.ear.opens_at()
            if heard is None:
                return None
            opened = max(opened, heard)
        return max(self._clock, opened) + self._pace.scaled(step.gap_ns)

    # Waiting

    @property
    def is_held(self) -> bool:
        """Whether the next message waits for something that is not of this connection."""
        step = self.next_step()
        return step is not None and self._released(step.seq) is None and self.awaited() is None

    def reached(self, seq: int) -> bool:
        """Whether all has happened here that was before step `seq` of the tape."""
        if self.over:
            return True
        step, closed = self.next_step(), self.script.closed_seq
        expected = self.script.expected
        return not (
            not self._answered
            or (step is not None and step.seq < seq)
            or (self.cleared < len(expected) and expected[self.cleared].seq < seq)
            or (closed is not None and closed < seq)
        )

    def awaited(self) -> Expected | None:
        """The client message that is waited for now, or None."""
        step = self.next_step()
        wanted = len(self.script.expected) if step is None else step.after
        return self.script.expected[self.cleared] if self.cleared < wanted else None

    def _skips(self, now: int) -> bool:
        """Go on without a message that may be missing, once it had its time."""
        limit, awaited = self._skip_ns(), self.awaited()
        if limit is None or awaited is None or now < limit:
            return False
        self.notes.append(f"{awaited.type} (step {awaited.seq}) did not come in time")
        self.cleared += 1
        self._cleared_ns.append(now)
        return True

    def _skip_ns(self) -> int | None:
        awaited = self.awaited()
        if awaited is None or awaited.type not in self._rules.tolerated:
            return None
        return self._progress_ns + self._pace.scaled(awaited.allow_ns) + _GRACE_NS

    def limit(self) -> int:
        """When the wait for the client ends (for its close, once everything was sent)."""
        step, awaited = self.next_step(), self.awaited()
        allow = awaited.allow_ns if awaited else step.allow_ns if step else self.script.allow_ns
        released = self._released(step.seq) if step else 0
        return max(self._progress_ns, released or 0) + allow + self._pace.patience_ns

    def deadline(self) -> int | None:
        """When something happens here without the client."""
        if self.over:
            return None
        if not self._answered:
            return self._clock
        step = self.next_step()
        when = None if step is None else self._when(step)
        if when is not None or self.is_held:
            return when
        skip = self._skip_ns()
        return self.limit() if skip is None else skip

    def expired(self, now: int) -> bool:
        """Whether the client was waited for in vain."""
        if self.over or not self._answered or self.is_held or now < self.limit():
            return False
        step = self.next_step()
        return step is None or self._when(step) is None

    def finish_waiting(self, now: int) -> None:
        """Pass over what may be missing at the end of the tape."""
        while self.next_step() is None and self._skips(now):
            pass

    # The end

    def hang_up(self, close: Close, now: int) -> list[Message]:
        """The client closes: what was on its way still goes out."""
        ahead = max(self._pace.scaled(_IN_FLIGHT_NS), _LEAST_IN_FLIGHT_NS)
        on_its_way = list(self._until(now + ahead, now))
        self.over = True
        sendable = [message for message in on_its_way if message.kind != "ws.close"]
        if sendable:
            self.notes.append(f"{len(sendable)} provider messages were on their way at the close")
        return [] if close.code == LOST else sendable

    def unused(self) -> list[Planned]:
        """Provider messages that did not go out and were needed."""
        optional = self._rules.optional
        rest = self.script.planned[self.sent :]
        return [step for step in rest if step.kind != "ws.close" and step.type not in optional]

    def missing(self) -> list[Expected]:
        """Client messages that did not come and were needed."""
        steps = (self.script.expected[index] for index in self.open_steps())
        return [step for step in steps if step.type not in self._rules.tolerated]


def acquainted(tracker: Tracker, script: Script, socket: SocketScript, opened: Message) -> Tracker:
    """`tracker`, once it has seen what the tape told before `socket`, such as how its audio is
    coded, and how the live one was `opened`."""
    told: list[tuple[int, Kind, str, bytes, bytes]] = [
        *(
            (each.seq, "http.request", each.type, each.sent, each.received)
            for each in script.exchanges
        ),
        *((each.seq, "webhook.request", each.type, b"", each.sent) for each in script.deliveries),
    ]
    for seq, kind, type_, sent, received in sorted(told):
        if seq < socket.seq:
            tracker.inspect(-seq, "client", kind, type_, b"")
            tracker.inspect(-seq, "client", "http.chunk", type_, sent)
            tracker.inspect(-seq, "provider", "http.chunk", type_, received)
    tracker.inspect(opened.channel, "client", "ws.open", "", opened.body)
    return tracker
