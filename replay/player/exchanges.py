"""The HTTP exchanges of a tape: which recorded answer a live request gets, and when."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from recorder.events import Message
from recorder.heads import RequestHead
from replay.match.compare import Difference
from replay.match.jsontext import Json
from replay.player.pace import Pace
from replay.player.shelf import Asked, Recorded, Shelf, asked
from replay.script import ExchangeScript

Differs = Callable[[dict[str, Json], dict[str, Json]], Difference | None]
Settled = Callable[[int, int], int | None]


class _Answer(NamedTuple):
    asked_ns: int
    message: Message
    recorded: Recorded


def _at_once(first: int, last: int) -> int:
    return 0


class Exchanges:
    """Answers requests. Each of `scripts` is used once, in order among equal requests, and has to
    be, unless `tolerates` says of its type that it may be missing: then the last answer also serves
    whoever asks once more. One of `spare` answers whatever else it fits, as often as it is asked;
    `after` are those of them that are waited for, a while.
    `differs` compares a recorded and a live request, `prefix` may stand before the path of either;
    `dress` completes the body of an answer. `settled` tells when the webhooks between two steps
    that decide the answer were answered (None if one was not).

    A request that says exactly what a recorded one says is found in constant time. One that only
    fits, by a rule, is looked for among those to the same place, then among all others.
    """

    def __init__(
        self,
        scripts: Sequence[ExchangeScript],
        spare: Sequence[ExchangeScript],
        differs: Differs,
        pace: Pace,
        tolerates: Callable[[str], bool],
        dress: Callable[[bytes], bytes],
        prefix: str,
        settled: Settled = _at_once,
        after: Sequence[ExchangeScript] = (),
    ) -> None:
        self._settled = settled
        self.used = 0
        self.notes: list[str] = []
        self._differs, self._pace, self._prefix = differs, pace, prefix
        self._tolerates, self._dress = tolerates, dress
        self._unused, self._spare = Shelf(), Shelf()
        self._again = Shelf()  # tolerated ones that were used
        self._open: OrderedDict[int, ExchangeScript] = OrderedDict()  # not answered, and have to be
        self._needed = 0  # how many have to be asked for
        self._pending: list[_Answer] = []
        self._after: set[int] = set()
        awaited = {id(script) for script in after}
        for number, script in enumerate((*scripts, *spare)):
            about = asked(script.request, script.sent, prefix)
            recorded = Recorded(number, script, about)
            if number >= len(scripts):
                self._spare.add(recorded)
                if id(script) in awaited:
                    self._after.add(number)
                continue
            self._unused.add(recorded)
            if not tolerates(script.type):
                self._open[number] = script
                self._needed += 1

    def ask(self, message: Message, now: int) -> ExchangeScript | Difference | None:
        """Take a request: the exchange it is, whose answer is then pending, else what differs from
        the likeliest one (None if there is none)."""
        head = RequestHead.decode(message.body)
        found = self._find(asked(head, message.payload, self._prefix))
        if not isinstance(found, Recorded):
            return found
        script = found.script
        answer = Message(
            message.channel,
            "http.response",
            script.response.encode(),
            self._dress(script.received),
        )
        self._pending.append(_Answer(now, answer, found))
        self._use(found)
        return script

    def serves(self, message: Message) -> bool:
        """Whether there is an answer to a request."""
        head = RequestHead.decode(message.body)
        return isinstance(self._find(asked(head, message.payload, self._prefix)), Recorded)

    def _find(self, about: Asked) -> Recorded | Difference | None:
        equal = self._unused.equal(about)
        if equal and self._differs(equal.asked.value, about.value) is None:
            return equal
        nearest: Difference | None = None
        other: Difference | None = None
        method = about.target[0]
        for recorded in self._candidates(about):
            if recorded.asked.target[0] != method:
                other = other or Difference("$.method", recorded.asked.target[0], method)
                continue
            found = self._differs(recorded.asked.value, about.value)
            if found is None:
                return recorded
            nearest = nearest or found
        return nearest or other

    def _candidates(self, about: Asked) -> Iterator[Recorded]:
        shelves = (self._unused, self._again, self._spare)
        for shelf in shelves:
            yield from shelf.kin(about)
        for shelf in shelves:
            yield from shelf.strangers(about)

    def _use(self, recorded: Recorded) -> None:
        script = recorded.script
        if recorded in self._unused:
            self._unused.remove(recorded)
            self.used += 1
            if self._tolerates(script.type):
                self._again.add(recorded, last=False)  # who asks once more gets the latest answer
            else:
                self._needed -= 1
        elif recorded in self._again:
            self.notes.append(f"{script.type} came once more than on the tape")
        else:  # the next equal request gets the next answer
            self._after.discard(recorded.number)
            self._spare.remove(recorded)
            self._spare.add(recorded)

    # What waits for them

    def reached(self, seq: int) -> bool:
        """Whether all that had been asked before step `seq` was asked, and what had been answered
        was answered."""
        pending = {answer.recorded.number for answer in self._pending}
        for number, script in self._open.items():
            if script.seq > seq:
                return True
            if number not in pending or script.end_seq <= seq:
                return False
        return True

    def was_asked(self, seq: int, types: frozenset[str]) -> bool:
        """Whether all requests of these types that were before step `seq` have come."""
        firsts = (self._unused.first(type_) for type_ in types)
        return all(first is None or first.script.seq > seq for first in firsts)

    def rest(self) -> list[ExchangeScript]:
        """The first one that was not asked for, if one is left."""
        first = self._unused.first()
        return [first.script] if first else []

    @property
    def is_awaiting_more(self) -> bool:
        """Whether something that followed the tape was not asked for yet."""
        return bool(self._after)

    @property
    def may_be_missing(self) -> bool:
        """Whether the tape can do without all that was not asked for."""
        return not self._needed

    def forgive(self) -> bool:
        """Go on without what may be missing; False if something else is missing, too."""
        if not self.may_be_missing:
            return False
        for script in (recorded.script for recorded in self._unused):
            self.notes.append(f"{script.type} (step {script.seq}) did not come")
        self._unused.clear()
        self._after.clear()
        return True

    # The answers

    def due(self, now: int) -> list[Message]:
        """The answers to be sent by `now`."""
        ready: list[_Answer] = []
        waiting: list[_Answer] = []
        for answer in self._pending:
            when = self._when(answer)
            (waiting if when is None or when > now else ready).append(answer)
        self._pending = waiting
        for answer in ready:
            self._open.pop(answer.recorded.number, None)
        return [answer.message for answer in ready]

    def deadline(self) -> int | None:
        """When the next answer is due."""
        times = map(self._when, self._pending)
        return min((when for when in times if when is not None), default=None)

    def _when(self, answer: _Answer) -> int | None:
        """When an answer is due; None while a webhook that decides it is not answered."""
        number, script, _ = answer.recorded
        settled: int | None = 0
        if number in self._open:  # what may be missing can come at another time than on the tape
            settled = self._settled(script.seq, script.end_seq)
        if settled is None:
            return None
        return max(answer.asked_ns, settled) + self._pace.scaled(script.gap_ns)

    def drop(self) -> None:
        """Send no more answers."""
        self._pending.clear()
