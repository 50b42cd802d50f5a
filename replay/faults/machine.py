"""`Faulty`: any machine, with faults in what it sends, answers and keeps open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from recorder.events import Kind, Machine, Message
from recorder.heads import LOST, Close, RequestHead, ResponseHead
from recorder.providers.base import Provider
from replay.faults.effects import MS, SPOILS, Effects, picked, spoilt
from replay.faults.grammar import Fault
from replay.faults.ledger import ENDS, Applied
from replay.faults.meaning import check
from replay.faults.selection import Chosen, Crossing, Selection
from replay.faults.wire import Lane, Wire

_BEYOND = "the tape was ended by a fault"
_AT_ONCE = frozenset({"break", "refuse"})  # instead of passing an upgrade or a request on


class Tape(Protocol):
    """What plays a tape, as far as faults have to know it."""

    def step_of(self, channel: int, count: int) -> int:
        """The step that is message `count` (from 1) of the provider on a channel; 0 if none."""
        ...

    def serves(self, message: Message) -> bool:
        """Whether an upgrade or a request like this is still to come."""
        ...

    def interrupt(self, channel: int, now: int) -> None:
        """A fault ended a connection, or lost a webhook: nothing more of it is waited for."""
        ...


class Faulty:
    """A `Machine` that wraps another and applies `faults` to what crosses.

    Of several that are due at once the first in the list is applied. Equal seeds and equal traffic
    on a channel have equal faults, whatever the timing. What is applied is also handed out as a
    `note` on its channel, just before its effect. If the machine plays a `tape`, that is asked for
    steps, and told what a fault makes impossible; any other machine sees its connection lost.
    RecorderError if a fault has no meaning for the provider.
    """

    def __init__(
        self,
        machine: Machine,
        faults: Sequence[Fault],
        provider: Provider,
        *,
        seed: int = 1,
        tape: Tape | None = None,
    ) -> None:
        check(faults, provider)
        self.applied: list[Applied] = []
        self.is_off = not faults  # then everything passes
        self._machine, self._provider, self._tape = machine, provider, tape
        self._selection = Selection(faults, seed)
        self._timed = [fault for fault in faults if fault.where.place == "t"]
        self._tracker = provider.tracker()
        self._lanes: dict[int, Lane] = {}  # of connections that are open
        self._webhooks = Lane()
        self._over: set[int] = set()  # connections that a fault ended
        self._answers: dict[int, Chosen] = {}  # by the channel of a request
        self._wire = Wire()
        self._effects = Effects(self._wire, provider, self._lose)

    # What comes from the client

    def receive(self, message: Message, now: int) -> None:
        """Take one message of the client."""
        if message.kind == "ws.open":
            self._open(message, now)
        elif message.kind == "http.request":
            self._ask(message, now)
        elif message.channel not in self._over:
            if message.kind == "ws.close":
                self._hang_up(message.channel, now)
            self._machine.receive(message, now)

    def _open(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        chosen = self._choose(Crossing("open", message.channel, head.path, head.method))
        if chosen and chosen.fault.name in _AT_ONCE:
            self._decline(chosen.fault, message, "the upgrade", now)
        elif self._is_beyond(message):
            self._refuse(message, 503, -1, _BEYOND, now)
        else:
            self._tracker.inspect(message.channel, "client", "ws.open", "", message.body)
            self._lanes[message.channel] = Lane(free_ns=now, opening=chosen)
            self._machine.receive(message, now)
            return
        self._over.add(message.channel)

    def _ask(self, message: Message, now: int) -> None:
        head = RequestHead.decode(message.body)
        chosen = self._choose(Crossing("request", message.channel, head.path, head.method))
        if chosen and chosen.fault.name in _AT_ONCE:
            self._decline(chosen.fault, message, f"{head.method} {head.path}", now)
            return
        if self._is_beyond(message):
            self._refuse(message, 503, -1, _BEYOND, now)
            return
        if chosen:
            self._answers[message.channel] = chosen
        self._machine.receive(message, now)

    def _is_beyond(self, message: Message) -> bool:
        """Whether a client that lost its connection begins what the tape does not have."""
        if self._tape is None or not any(each.ends for each in self.applied):
            return False
        return not self._tape.serves(message)

    def _decline(self, fault: Fault, message: Message, what: str, now: int) -> None:
        """Answer an upgrade or a request in the machine's place: it never hears of it."""
        self._note(Applied(now, message.channel, fault, fault.name, what))
        if fault.name == "break":
            self._wire.put(_closing(message.channel, Close(LOST)), now)
            return
        status, retry_s = fault.number("status"), fault.number("retry-after")
        self._refuse(message, status, retry_s, "a fault of the replay", now)

    def _refuse(self, message: Message, status: int, retry_s: int, why: str, now: int) -> None:
        headers = [("Content-Type", "application/json")]
        headers += [("Retry-After", str(retry_s))] if retry_s >= 0 else []
        code = "rate_limit_exceeded" if status == 429 else "server_error"
        body = self._provider.error_event(code, f"replay: {why}", by_client=status < 500)
        head = ResponseHead(status, "", tuple(headers)).encode()
        kind: Kind = "ws.open" if message.kind == "ws.open" else "http.response"
        self._wire.put(Message(message.channel, kind, head, body), now)

    def _hang_up(self, channel: int, now: int) -> None:
        """The client closes: what is on its way goes out now, and no more faults."""
        lane = self._lanes.pop(channel, None)
        if lane:
            self._wire.pass_on(lane, now)
            self._wire.hasten(channel, now)

    # What comes from the machine

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        while batch := self._machine.due(now):
            for message in batch:
                self._fire(now)
                self._take(message, now)
        self._fire(now)
        return self._wire.due(now)

    def next_deadline(self) -> int | None:
        """When there is more."""
        times = [self._machine.next_deadline(), self._wire.deadline()]
        times += [at_ns for at_ns, _, _ in self._timers()]
        times += [lane.held.until_ns for lane in self._all_lanes() if lane.held]
        return min((at_ns for at_ns in times if at_ns is not None), default=None)

    def _all_lanes(self) -> list[Lane]:
        return [self._webhooks, *self._lanes.values()]

    def _timers(self) -> list[tuple[int, int, Fault]]:
        """When each fault of a time happens, and on which channel, by time."""
        if not self._timed or self.is_off:
            return []
        timers = [
            (lane.opened_ns + fault.where.number, channel, fault)
            for channel, lane in self._lanes.items()
            if lane.opened_ns is not None
            for fault in self._timed
        ]
        return sorted(timers, key=lambda timer: timer[0])

    def _fire(self, now: int) -> None:
        """What happens by itself: faults of a time, and the end of waiting for a next message."""
        while (timers := self._timers()) and timers[0][0] <= now:
            _, channel, fault = timers[0]
            self._timed.remove(fault)
            self._end(Applied(now, channel, fault, fault.name, "the connection"))
        for lane in self._all_lanes():
            if lane.held and lane.held.until_ns <= now:
                self._wire.pass_on(lane, now)

    def _take(self, message: Message, now: int) -> None:
        lane = self._lanes.get(message.channel)
        if message.channel in self._over:
            return
        if message.kind == "http.response":
            self._answer(message, now)
        elif message.kind == "webhook.request":
            self._send(self._webhooks, message, now)
        elif lane is None:
            self._wire.put(message, now)
        elif message.kind == "ws.open":
            self._opened(lane, message, now)
        elif message.kind == "ws.close":
            self._wire.pass_on(lane, now)
            self._wire.follow(lane, message, now)
            del self._lanes[message.channel]
        else:
            self._send(lane, message, now)

    def _opened(self, lane: Lane, message: Message, now: int) -> None:
        at_ns = now
        if lane.opening:
            fault = lane.opening.fault
            self._note(Applied(now, message.channel, fault, fault.name, "the upgrade"))
            at_ns += fault.number("ms") * MS
        self._wire.follow(lane, message, at_ns)
        if ResponseHead.decode(message.body).status == 101:
            lane.opened_ns = at_ns

    def _answer(self, message: Message, now: int) -> None:
        chosen, at_ns = self._answers.pop(message.channel, None), now
        if chosen and not self.is_off:
            fault = chosen.fault
            self._note(Applied(now, message.channel, fault, fault.name, "the answer"))
            message = spoilt(message, chosen)
            if fault.name == "delay":
                at_ns += fault.number("ms") * MS
            elif fault.name == "drip":
                message = message._replace(rate=fault.number("rate"))
        self._wire.put(message, at_ns)

    def _send(self, lane: Lane, message: Message, now: int) -> None:
        crossing = None if self.is_off else self._crossing(lane, message)
        chosen = self._selection.choose(crossing) if crossing else None
        if crossing is None or chosen is None:
            self._wire.follow(lane, message, now)
            return
        step = crossing.step if self._tape else 0
        what = crossing.name or message.kind
        actual = picked(chosen)
        applied = Applied(now, message.channel, chosen.fault, actual.fault.name, what, step)
        if applied.name in ENDS:
            self._end(applied)
            return
        self._note(applied)
        self._effects.apply(lane, message, actual, now)
        if self._tape and message.kind == "webhook.request" and applied.name in SPOILS:
            self._tape.interrupt(message.channel, now)  # any answer to such a thing is right

    def _crossing(self, lane: Lane, message: Message) -> Crossing:
        channel, count = message.channel, 1
        if message.kind == "webhook.request":
            hooks = self._provider.WEBHOOKS
            crossing = Crossing(
                "webhook", channel, hooks.read(message.payload).type if hooks else ""
            )
        else:
            lane.sent += 1
            count = lane.sent
            seen = self._tracker.inspect(channel, "provider", message.kind, "", message.body)
            endings = self._provider.ENDINGS
            is_end = endings is not None and seen.type in endings.TYPES
            crossing = Crossing("type", channel, seen.type, ends_response=is_end)
        return crossing._replace(step=self._tape.step_of(channel, count) if self._tape else count)

    # What ends, and what happened

    def _end(self, applied: Applied) -> None:
        """End a connection: what was not sent yet is lost."""
        now, channel, fault = applied.at_ns, applied.channel, applied.fault
        del self._lanes[channel]
        self._over.add(channel)
        self._wire.lose(channel, now)
        self._note(applied)
        close = Close(LOST)
        if fault.name == "close":
            close = Close(fault.number("code"), fault.word("reason"))
        self._wire.put(_closing(channel, close), now)
        if self._tape:
            self._tape.interrupt(channel, now)
        else:
            self._machine.receive(_closing(channel, Close(LOST)), now)

    def _lose(self, message: Message, now: int) -> None:
        """A webhook does not arrive."""
        if self._tape:
            self._tape.interrupt(message.channel, now)
            return
        head = ResponseHead(0, "lost by a fault").encode()
        self._machine.receive(Message(message.channel, "webhook.response", head), now)

    def _choose(self, crossing: Crossing) -> Chosen | None:
        return None if self.is_off else self._selection.choose(crossing)

    def _note(self, applied: Applied) -> None:
        self.applied.append(applied)
        self._wire.put(applied.note(), applied.at_ns)


def _closing(channel: int, close: Close) -> Message:
    return Message(channel, "ws.close", close.encode())
