"""The client's side of a tape as a machine: sockets and requests, each when its turn has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from recorder.events import Kind, Message, Sender
from recorder.heads import Close, Headers, ResponseHead
from recorder.providers.base import Provider
from replay.caller.acts import Plan, SocketPlan
from replay.caller.budget import Budget
from replay.caller.hooks import Hooks
from replay.caller.kit import Kit
from replay.caller.names import Names, text_of
from replay.caller.notes import Notes, Verdict, verdict
from replay.caller.perception import Perception, Seen
from replay.caller.talk import Talk
from replay.caller.tools import Tools
from replay.match.rulebook import Rulebook
from replay.script import ExchangeScript

_NS = 1_000_000_000
_LINGER_NS = _NS // 10


class Options(NamedTuple):
    """How a tape is played.

    `base` is the URL of the provider (its host, where there is none); `headers` are sent where the
    tape has none of that name, or a secret that is not known; `doubles` answer functions by name.
    The run ends after `limit_s`; the other side may be silent for `patience_s`, beside the time
    that it took on the tape.
    """

    base: str
    limit_s: float
    patience_s: float = 15.0
    headers: Headers = ()
    doubles: Mapping[str, str] = {}


class _Began(NamedTuple):
    """An entry that has begun; `over_ns` once it is over."""

    talk: Talk | None
    over_ns: int | None = None


class Caller:
    """Plays `plan` to whoever stands for the provider. `finished` turns true at the end; `verdict`
    tells what it came to. Times are monotonic ns."""

    def __init__(
        self, plan: Plan, provider: Provider, book: Rulebook, options: Options, budget: Budget
    ) -> None:
        self.finished = False
        self._plan, self._provider, self._book = plan, provider, book
        self._options, self._budget = options, budget
        self._notes = Notes()
        self._names = Names(book, options.base)
        self._perception = Perception(provider)
        self._hooks = Hooks(provider, plan.deliveries, options.doubles, self._names, self._notes)
        self._began: list[_Began] = []  # in the order of the plan
        self._outbox: list[Message] = []
        self._started_ns: int | None = None
        self._limit_ns = 0
        self._kit = Kit(
            provider.CONDUCT,
            book,
            self._names,
            self._notes,
            self._perceive,
            budget.refuses,
            int(options.patience_s * _NS),
            [],
        )
        for why in plan.skipped:
            self._notes.note(0, f"left out: {why}")

    @property
    def verdict(self) -> Verdict:
        """What the run came to, so far."""
        return verdict(self._notes, self._plan.steps, self._budget.usd, self._options.doubles)

    # What comes

    def receive(self, message: Message, now: int) -> None:
        """Take what the provider sent."""
        if self.finished:
            return
        if message.kind == "webhook.request":
            self._hooked(message, now)
            return
        number = message.channel - 1
        if message.kind == "http.response":
            self._answered(number, message, now)
        elif (talk := self._began[number].talk) is not None:
            self._talked(talk, message, now)

    def _hooked(self, message: Message, now: int) -> None:
        webhooks = self._provider.WEBHOOKS
        type_ = webhooks.read(message.payload).type if webhooks else ""
        self._beside(self._exchanged("provider", message, type_, type_, now), now)
        self._budget.take(type_, message.payload)
        self._hooks.take(message, now, self._turn())

    def answers(self, now: int) -> list[Message]:
        """The answers to webhooks that are due by `now`; they came by `receive`, and these go back
        on channels of their own."""
        due = self._hooks.due(now)
        for answer in due:
            status = str(ResponseHead.decode(answer.message.body).status)
            seen = self._exchanged("client", answer.message, status, answer.type, now)
            self._beside(seen, now)
        return [answer.message for answer in due]

    def next_answer(self) -> int | None:
        """When the next of them is due."""
        return self._hooks.deadline()

    def _exchanged(
        self, sender: Sender, message: Message, type_: str, name: str, now: int
    ) -> list[Seen]:
        """A head and its body, as they stand on a tape; `name` is that of the exchange."""
        take, channel = self._perception.take, message.channel
        return [
            take(channel, sender, message.kind, message.body, now, type_),
            take(channel, sender, "http.chunk", message.payload, now, name),
            take(channel, sender, "http.chunk", b"", now, name),
        ]

    def _beside(self, seen: list[Seen], now: int) -> None:
        """What was told beside a socket concerns the one that is open."""
        for talk in self._open()[-1:]:
            for each in seen:
                talk.tell(each.told, now)

    def _open(self) -> list[Talk]:
        talks = [one.talk for one in self._began]
        return [talk for talk in talks if talk is not None and not talk.is_over]

    def _turn(self) -> int:
        return max((talk.turn for talk in self._open()), default=0)

    def _answered(self, number: int, message: Message, now: int) -> None:
        entry = self._plan.entries[number].what
        assert isinstance(entry, ExchangeScript)
        head = ResponseHead.decode(message.body)
        name = entry.type
        seen = self._exchanged("provider", message, str(head.status), name, now)[-1]
        self._notes.done.add(entry.seq)
        self._budget.take(seen.type, message.payload)
        self._began[number] = self._began[number]._replace(over_ns=now)
        self._names.answered(entry, message.payload)
        was = entry.response.status
        if (head.status < 400) != (was < 400):
            told = f"{name} was answered with {head.status}, on the tape with {was}"
            why = text_of(message.payload) if head.status >= 400 else ""
            self._notes.fail(0, f"{told}: {why}" if why else told)
            if head.status >= 400:
                self._finish(now)
        elif head.status != was:
            self._notes.note(0, f"{name} was answered with {head.status}, on the tape with {was}")

    def _talked(self, talk: Talk, message: Message, now: int) -> None:
        kind, body, payload = message.kind, message.body, message.payload
        if kind == "ws.close":
            self._perception.take(message.channel, "provider", kind, body, now)
            talk.closed(Close.decode(body), now)
        elif kind == "ws.open":
            talk.opened(ResponseHead.decode(body), payload, now)
        else:
            seen = self._perception.take(message.channel, "provider", kind, body, now)
            talk.receive(seen, kind, now)
            if kind == "ws.text" and not seen.heard:
                self._budget.take(seen.type, body)

    # What is due

    def due(self, now: int) -> list[Message]:
        """What the client sends by `now`."""
        if self._started_ns is None:
            self._started_ns = now
            self._limit_ns = now + int(self._options.limit_s * _NS)
        while not self.finished and self._begin(now):
            pass  # one entry may let the next begin
        for talk in self._open():
            self._outbox += talk.due(now)
        self._end(now)
        sent, self._outbox = self._outbox, []
        return sent

    def next_deadline(self) -> int | None:
        """When the client next acts by itself (ns)."""
        if self.finished:
            return None
        if self._started_ns is None or self._outbox or self._lost():
            return 0
        soonest = self._limit_ns
        talks = [talk.deadline() for talk in self._open()]
        for when in (self._over_ns(), self._opens_at(), *talks):
            if when is not None and when < soonest:
                soonest = when
        return soonest

    def _begin(self, now: int) -> bool:
        """Begin the next entry, if its turn has come."""
        when = self._opens_at()
        if when is None or when > now:
            return False
        self._start(when)
        return True

    def _opens_at(self) -> int | None:
        """When the next entry begins; None while what was before it is not over, and after the
        last."""
        number = len(self._began)
        if number == len(self._plan.entries):
            return None
        entry = self._plan.entries[number]
        times = [self._started_ns or 0]
        for at, one in enumerate(self._began):
            if at in entry.after:
                if one.over_ns is None:
                    return None
                times.append(one.over_ns)
            elif one.talk is not None:
                reached = _reached(one.talk, entry.what.seq)
                if reached is None:
                    return None
                times.append(reached)
        for at, name in entry.names:
            talk = self._began[at].talk
            if talk is None or name not in talk.told:
                return None
            times.append(talk.told[name])
        return max(times) + entry.gap_ns

    def _start(self, now: int) -> None:
        number = len(self._began)
        entry, channel = self._plan.entries[number], number + 1
        head = self._names.head(entry.what.request, self._options.headers)
        type_ = f"{head.method} {head.path}"
        if isinstance(entry.what, SocketPlan):
            doubles, doubled = self._options.doubles, self._notes.doubled
            tools = Tools(self._kit.conduct, entry.what.results, doubles, doubled)
            talk = Talk(entry.what, channel, tools, self._kit, now)
            self._began.append(_Began(talk))
            self._perception.take(channel, "client", "ws.open", head.encode(), now, type_)
            self._outbox.append(Message(channel, "ws.open", head.encode()))
            return
        self._began.append(_Began(None))
        body = self._names.body(entry.what.sent)
        asked = Message(channel, "http.request", head.encode(), body)
        self._exchanged("client", asked, type_, type_, now)
        self._outbox.append(asked)

    def _perceive(self, channel: int, kind: Kind, body: bytes, now: int) -> Seen:
        return self._perception.take(channel, "client", kind, body, now)

    # The end

    def _end(self, now: int) -> None:
        """Finish, if all is done, or nothing more is to be done."""
        if self.finished:
            return
        for number, one in enumerate(self._began):
            if one.talk is not None and one.talk.is_over and one.over_ns is None:
                self._began[number] = one._replace(over_ns=one.talk.over_ns)
        over = self._over_ns()
        if over is not None and now >= over:
            self._finish(now)
            return
        lost = self._lost()
        spent = self._budget.exceeded
        if now >= self._limit_ns:
            limit = self._options.limit_s
            self._notes.give_up(self._turn(), f"it was not over after {limit:g} s (--max-seconds)")
        elif lost:
            self._notes.give_up(self._turn(), lost)
        elif spent:
            self._notes.give_up(self._turn(), spent)
        if self._notes.stop is not None:
            self._finish(now)

    def _lost(self) -> str | None:
        """Why the next entry cannot begin any more: what should have told its id is over."""
        number = len(self._began)
        entries = self._plan.entries
        for at, name in entries[number].names if number < len(entries) else ():
            talk = self._began[at].talk
            if talk is not None and talk.is_over and name not in talk.told:
                head = entries[number].what.request
                return f"{head.method} {head.path}: nothing stands for {name} here"
        return None

    def _over_ns(self) -> int | None:
        """When all is over, None while it is not: where webhooks come, those of the tape that came
        after all else are given the time that they took there."""
        if len(self._began) < len(self._plan.entries):
            return None
        ends = [one.over_ns for one in self._began]
        if None in ends:
            return None
        plan, hooks = self._plan, self._hooks
        last = max((end for end in ends if end is not None), default=0)
        if hooks.waiting:
            last = max(last, *(each.at_ns for each in hooks.waiting))
            return last + _LINGER_NS
        if not hooks.count or hooks.count >= len(plan.deliveries):
            return last
        took = plan.length_ns - max(entry.what.end_ns for entry in plan.entries)
        return last + took + _LINGER_NS

    def _finish(self, now: int) -> None:
        for talk in self._open():
            self._outbox += talk.hang_up(now)
        self.finished = True

    def give_up(self, why: str, now: int) -> None:
        """End it from outside."""
        self._notes.give_up(self._turn(), why)
        self._finish(now)


def _reached(talk: Talk, seq: int) -> int | None:
    """When the acts before event `seq` of the tape had been done; None if they are not."""
    if talk.is_over:
        return talk.over_ns
    following = talk.plan.acts[talk.at : talk.at + 1]
    return None if following and following[0].seq < seq else talk.prev_ns
