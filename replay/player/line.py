"""One live WebSocket that plays one WebSocket of a tape."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from recorder.counting import counted
from recorder.events import Kind, Message
from recorder.heads import LOST, Close
from recorder.providers.base import Tracker
from replay.match.compare import Matcher
from replay.match.hearing import AudioMode
from replay.match.ids import rename
from replay.match.voice import Voice
from replay.player.ear import Ear
from replay.player.ending import Cut, Ending, cut_out, ending
from replay.player.expectations import Expectations
from replay.player.intake import Intake
from replay.player.modes import Ahead, Mode
from replay.player.pace import Pace
from replay.script import Expected, Planned, SocketScript

_NS = 1_000_000_000
_GRACE_NS = _NS  # how long an answer waits for a message that may be missing
_IN_FLIGHT_NS = _NS // 2  # of the tape: what is due so soon after a close was on its way
_LEAST_IN_FLIGHT_NS = _NS // 10  # the same in live time, whatever the speed


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
        mode: Mode,
        audio: AudioMode,
    ) -> None:
        self.channel, self.script, self.released = channel, script, released
        self.over = False
        self.sent = 0  # planned messages that went out, or were left out
        self.cut = Cut()  # those that were left out, since the client ended the conversation
        self.ended = ""  # by what message it did so, if on this connection
        self.notes: list[str] = []
        self.ahead: Ahead | None = None  # what the client did before its turn
        self.is_quiet = False  # whether nothing can come of the client's last message: mere audio
        self.clock = now + pace.length(script.gap_ns)  # when the last message was to go out
        self.progress_ns = self.clock
        self.due_ns: int | None = None  # when the next message is, as of the last `look`
        self.intake = Intake(script, audio, is_counted=mode.in_order)
        self._matcher, self._tracker, self._pace, self._mode = matcher, tracker, pace, mode
        self._rules = matcher.book.rules
        self._expects = Expectations(script.expected, matcher, self.clock, in_order=mode.in_order)
        self._answered = False
        self._planned, self._total = script.planned, len(script.planned)
        self._follows = mode.follows
        self._ending: Ending | None = None
        self._jumps = False  # whether what is due is leaving out the rest
        self._cut_ns: int | None = None  # since when nothing is waited for

    @property
    def matched(self) -> list[bool]:
        """Which of the expected messages came."""
        return self._expects.matched

    @property
    def cleared(self) -> int:
        """How many of the expected messages came, or are no longer waited for, in a row."""
        return self._expects.cleared

    @property
    def latest_ns(self) -> int:
        """When the last message passed, streamed audio aside."""
        return max(self.clock, self._expects.cleared_ns[-1])

    @property
    def ear(self) -> Ear:
        """What the client has streamed."""
        return self.intake.ear

    @property
    def voice(self) -> Voice:
        """How what the client streamed compares. Nothing but the end may follow."""
        return self.intake.voice

    # What the client sends

    def take(self, kind: Kind, body: bytes, now: int) -> bool:
        """Take a client message; False if it does not fit the tape, or is `ahead` of its turn."""
        before, self.is_quiet = self._mode.heard(self), False
        if self.intake.repeats_at_gate(kind, body, now):
            self.is_quiet = self._mode.heard(self) == before
            return self._keeps_turn(self._mode.ahead_audio(self))
        insight = self._tracker.inspect(self.channel, "client", kind, "", body)
        type_ = insight.type
        if type_ in self._rules.ungated:
            place = self._rules.deltas.get(type_)
            fits = self.intake.take(body, insight.audio, place, now)
            self.is_quiet = fits and self._mode.heard(self) == before
            return fits and self._keeps_turn(self._mode.ahead_audio(self))
        index = self._expects.fitting(kind, type_, body)
        if index is None and type_ in self._rules.ends:
            index = self._expects.last(type_, body)
        if index is None:
            if type_ not in self._rules.tolerated or self._wants(type_):
                return False
            self.notes.append(f"{type_} came and is not on the tape")
            return True
        if type_ in self._rules.cuts and not self.intake.cut():
            return False
        step = self.script.expected[index]
        if self._expects.is_early(index) and type_ not in self._rules.ends:
            self.notes.append(f"{step.type} (step {step.seq}) came before its turn")
        self._expects.mark(index, now)
        self.progress_ns = now
        self.ended = type_ if type_ in self._rules.ends else self.ended
        return self._keeps_turn(self._mode.ahead(step.seq, f"step {step.seq} {type_ or kind}"))

    def _keeps_turn(self, ahead: Ahead | None) -> bool:
        self.ahead = ahead
        return ahead is None

    def _wants(self, type_: str) -> bool:
        """Whether a message of this type is waited for by what the provider says next, apart from
        the rest of what it is saying: another one is then no extra one."""
        rest = self.script.planned[self.sent :]
        step = next((each for each in rest if each.type not in self._rules.deltas), None)
        wanted = len(self.matched) if step is None else step.after
        expected = self.script.expected
        return any(at < wanted and expected[at].type == type_ for at in self.open_steps())

    def open_steps(self) -> Iterator[int]:
        """The expected messages that did not come yet, in order."""
        return self._expects.open()

    # What the provider sends

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`, in order."""
        opening: list[Message] = []
        if not self._answered:
            if now < self.clock:
                return []
            self._answered = True
            refused = self.script.answer.status != 101
            self.over = refused
            payload = self.script.refusal if refused else b""
            answer = self.script.answer.encode()
            opening = [Message(self.channel, "ws.open", answer, payload)]
        self.look()
        return opening + self.go(now, now)

    def look(self) -> None:
        """See when the next message is due: something may have changed."""
        step = None if self.over else self.next_step()
        self.due_ns = None if step is None else self._mode.when(self, step)
        self._jumps = False
        if self._ending is not None and step is not None:
            is_open = self.opened(step) is not None
            jump_ns = self._ending.jumps_at(self.due_ns, is_open=is_open)
            if jump_ns is not None:
                self.due_ns, self._jumps = jump_ns, True

    def go(self, horizon: int, now: int) -> list[Message]:
        """Send what is due by `horizon`; nothing has changed since `look`."""
        went: list[Message] = []
        while True:
            when = self.due_ns
            if when is None and self.next_step() and self._skips(now):
                self.look()
                continue
            if when is None or when > horizon:
                return went
            if self._jumps:
                self._jump(when)
                continue
            step, at = self._planned[self.sent], self.sent + 1
            self.sent, self.clock, self.progress_ns = at, when, now
            body = step.body if step.follows else self._passed(step)
            went.append(Message(self.channel, step.kind, body))
            after = self._planned[at] if at < self._total else None
            if after is not None and after.follows and self._follows and not self._ending:
                self.due_ns = when + self._pace.scaled(after.gap_ns)
            else:
                self._mode.went(step, body)
                self.look()

    def _passed(self, step: Planned) -> bytes:
        """The body of a message that has causes of its own, and what follows from its going out."""
        if step.loud:
            self.intake.ear.passed += 1
        if step.kind == "ws.close":
            self.over = True
        if not step.names:
            return step.body
        book = self._matcher.book
        return rename(step.body, step.names, self._matcher.bindings, book, step.type)

    def next_step(self) -> Planned | None:
        """The provider's next message."""
        return self._planned[self.sent] if self.sent < self._total else None

    @property
    def told_ns(self) -> int:
        """When on the tape the last message went out, or the connection was opened."""
        if self.sent:
            return self.script.planned[self.sent - 1].at_ns
        return self.script.at_ns + self.script.gap_ns

    def opened(self, step: Planned) -> int | None:
        """When all had happened that caused a message; None if something has not."""
        if self._cut_ns is not None:
            return self._cut_ns
        if self.cleared < step.after:
            return None
        released = self.released(step.seq)
        if released is None:
            return None
        opened = max(self._expects.cleared_ns[step.after], released)
        if not step.loud:
            return opened
        heard = self.ear.opens_at()
        return None if heard is None else max(opened, heard)

    def open_step(self) -> Planned | None:
        """The next message, if all that caused it has happened."""
        step = None if self.over or not self._answered else self.next_step()
        return step if step and self.opened(step) is not None else None

    # Waiting

    @property
    def is_held(self) -> bool:
        """Whether the next message waits for something that the client of this connection cannot
        do."""
        step = self.next_step()
        return step is not None and self._mode.is_held(self, step)

    def reached(self, seq: int) -> bool:
        """Whether all has happened here that was before step `seq` of the tape."""
        return self.pending(seq) is None

    def pending(self, seq: int) -> str | None:
        """What was here before step `seq` of the tape and has not happened; None if all has."""
        if self.over:
            return None
        step, closed, expected = self.next_step(), self.script.closed_seq, self.script.expected
        if not self._answered:
            return "the answer to an upgrade"
        waiting: list[Planned | Expected] = [step] if step else []
        if self.cleared < len(expected):
            waiting.append(expected[self.cleared])
        first = min(waiting, key=lambda each: each.seq, default=None)
        if first and first.seq < seq:
            return f"step {first.seq} {first.type or first.kind}"
        return f"step {closed}, a close" if closed is not None and closed < seq else None

    def awaited(self) -> Expected | None:
        """The client message that is waited for now, or None."""
        step = self.next_step()
        wanted = step.after if step and self._mode.waits else 0
        if step is None:
            wanted = len(self.script.expected)
        if self._cut_ns is not None:
            return None
        return self.script.expected[self.cleared] if self.cleared < wanted else None

    def _skips(self, now: int) -> bool:
        """Go on without a message that may be missing, once it had its time."""
        limit, awaited = self._skip_ns(), self.awaited()
        if limit is None or awaited is None or now < limit or self.over:
            return False
        self.notes.append(f"{awaited.type} (step {awaited.seq}) did not come in time")
        self._expects.skip(now)
        return True

    def _skip_ns(self) -> int | None:
        awaited = self.awaited()
        if awaited is None or awaited.type not in self._rules.tolerated:
            return None
        return self.progress_ns + self._pace.length(awaited.allow_ns) + _GRACE_NS

    def limit(self) -> int:
        """When the wait for the client ends (for its close, once everything was sent)."""
        step, awaited = self.next_step(), self.awaited()
        allow = awaited.allow_ns if awaited else step.allow_ns if step else self.script.allow_ns
        released = self.released(step.seq) if step else 0
        return max(self.progress_ns, released or 0) + allow + self._pace.patience_ns

    def deadline(self) -> int | None:
        """When something happens here without the client."""
        if self.over:
            return None
        if not self._answered:
            return self.clock
        self.look()
        if self.due_ns is not None or self.is_held:
            return self.due_ns
        skip = self._skip_ns()
        return self.limit() if skip is None else skip

    def expired(self, now: int) -> bool:
        """Whether the client was waited for in vain."""
        if self.over or not self._answered or self.is_held or now < self.limit():
            return False
        self.look()
        return self.due_ns is None

    def finish_waiting(self, now: int) -> None:
        """Pass over what may be missing at the end of the tape."""
        while self.next_step() is None and self._skips(now):
            pass

    # The end

    def end(self, by: str, now: int) -> None:
        """The client has ended the conversation, here or on another connection, by a message of
        the type `by`."""
        if self._ending is None and not self.over:
            self._ending = ending(self._rules.ends[by], now, self._pace)

    def _jump(self, now: int) -> None:
        """Leave out what was before the message that tells of the end; that waits for nothing."""
        assert self._ending is not None
        at, planned = self._ending.target(self._planned, self.sent), self._planned
        book, tracker = self._matcher.book, self._tracker
        self.cut = cut_out(planned[self.sent : at], self.sent, book, tracker, self.channel)
        idle = self.cut.size - len(self.cut.needed)
        if idle:
            told = f"{counted(idle, 'message')} of silence, or not needed, left out"
            self.notes.append(f"the client ended the session earlier: {told}")
        self.sent, self.clock, self.progress_ns = at, now, now
        self._ending, self._cut_ns = None, now
        self.look()

    @property
    def is_ending(self) -> bool:
        """Whether the client has ended the conversation."""
        return self._ending is not None or self._cut_ns is not None

    @property
    def is_cut_short(self) -> bool:
        """Whether the end of the conversation left out something."""
        return self._cut_ns is not None and bool(self.cut.needed or self.missing())

    def hang_up(self, close: Close, now: int) -> list[Message]:
        """The client closes: what was on its way still goes out."""
        ahead = max(self._pace.length(_IN_FLIGHT_NS), _LEAST_IN_FLIGHT_NS)
        self.look()
        on_its_way = self.go(now + ahead, now)
        self.over = True
        sendable = [message for message in on_its_way if message.kind != "ws.close"]
        if sendable:
            told = counted(len(sendable), "provider message")
            self.notes.append(f"{told} on the way at the close")
        return [] if close.code == LOST else sendable

    def unused(self) -> list[Planned]:
        """Provider messages that did not go out and were needed."""
        optional = self._rules.optional
        rest = self.script.planned[self.sent :]
        needed = (step for step in rest if step.kind != "ws.close" and step.type not in optional)
        return [*self.cut.needed, *needed]

    def step_of(self, count: int) -> int:
        """The step of the provider's message `count`, from 1; 0 if the tape has no such one."""
        planned = self.script.planned
        count += self.cut.size if count > self.cut.start else 0
        return planned[count - 1].seq if count <= len(planned) else 0

    def missing(self) -> list[Expected]:
        """Client messages that did not come and were needed."""
        return self._expects.missing()
