"""The webhooks of a tape: each goes out at its place among all else, and its answer is awaited."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.match.rulebook import Rulebook
from replay.player.modes import Mode
from replay.player.pace import Pace
from replay.script import DeliveryScript

_FIRST_CHANNEL = 1_000_000  # above every channel that a shell numbers
_ADDRESS = "/webhooks/"
Reached = Callable[[DeliveryScript], bool]
Begun = Callable[[DeliveryScript, int], None]


class Answer(NamedTuple):
    """What the application said to a webhook."""

    script: DeliveryScript
    head: ResponseHead
    body: bytes


class Deliveries:
    """Sends the webhooks of `scripts` to the URL `target`, in order.

    One goes out once `reached` says that all has happened that was before it, the answers that
    matter included, and when `mode` says so; `begun` is then told. Without a `target` nothing is
    sent, and each counts as answered after the time that it took on the tape; so it does where the
    mode does not wait. `dress` completes a body.
    """

    def __init__(
        self,
        scripts: Sequence[DeliveryScript],
        target: str | None,
        book: Rulebook,
        pace: Pace,
        reached: Reached,
        dress: Callable[[bytes], bytes],
        mode: Mode,
        begun: Begun,
    ) -> None:
        self._scripts, self._target, self._pace = scripts, target, pace
        self._reached, self._dress, self._mode, self._begun = reached, dress, mode, begun
        self._by_tape = target is None or not mode.waits  # answers count as they came on the tape
        self._seqs = [script.seq for script in scripts]
        self._answer_seqs = {
            at: script.answer_seq
            for at, script in enumerate(scripts)
            if script.type in book.rules.awaited and script.answer_seq is not None
        }
        self._open_ns: int | None = None  # when the next one had nothing more to wait for
        self._sent_ns: list[int] = []
        self._answered_ns: dict[int, int] = {}
        self._unsettled: set[int] = set()
        self._outstanding: set[int] = set()  # whose live answer has not come
        self._dropped = False

    # What goes out

    def due(self, now: int) -> list[Message]:
        """Those to be sent by `now`."""
        self._skip(now)
        sent: list[Message] = []
        while (script := self.next_step()) is not None:
            if self._open_ns is None and self._is_open(script):
                self._open_ns = now
            when = self._mode.when_posted(script, self._open_ns)
            if when is None or when > now:
                break
            sent += self._send(script, when)
            self._open_ns = None
            self._begun(script, when)
            self._mode.went(script, script.sent)
        return sent

    def next_step(self) -> DeliveryScript | None:
        """The next one to go out."""
        at = len(self._sent_ns)
        return None if self._dropped or at == len(self._scripts) else self._scripts[at]

    def _is_open(self, script: DeliveryScript) -> bool:
        return self._answers_before(script.seq) is not None and self._reached(script)

    def open_step(self) -> DeliveryScript | None:
        """The next one, if all has happened that was before it."""
        script = self.next_step()
        return script if script and self._is_open(script) else None

    def _send(self, script: DeliveryScript, when: int) -> list[Message]:
        at = len(self._sent_ns)
        self._sent_ns.append(when)
        self._unsettled.add(at)
        if self._target is None:
            return []
        self._outstanding.add(at)
        asked = script.request
        head = RequestHead(asked.method, self._url(asked, self._target), "", asked.headers)
        body = self._dress(script.sent)
        return [Message(_FIRST_CHANNEL + at, "webhook.request", head.encode(), body)]

    def _url(self, asked: RequestHead, target: str) -> str:
        """As the proxy builds it: what follows `/webhooks/NAME`, and the query, after the URL."""
        rest = ""
        if asked.path.startswith(_ADDRESS):
            _, slash, after = asked.path.removeprefix(_ADDRESS).partition("/")
            rest = slash + after
        query = f"?{asked.query}" if asked.query else ""
        return f"{target.rstrip('/')}{rest}{query}"

    # What comes back

    def take(self, message: Message, now: int) -> Answer | None:
        """The answer to a webhook; None if nobody waits for it."""
        at = message.channel - _FIRST_CHANNEL
        if at not in self._outstanding:
            return None
        self._outstanding.discard(at)
        self._settle(at, now)
        return Answer(self._scripts[at], ResponseHead.decode(message.body), message.payload)

    def _settle(self, at: int, now: int) -> None:
        if at in self._unsettled:
            self._unsettled.discard(at)
            self._answered_ns[at] = now

    def _skip(self, now: int) -> None:
        """Where nobody is waited for, an answer is there when it was on the tape."""
        if self._by_tape:
            for at in [at for at in self._unsettled if self._skipped_ns(at) <= now]:
                self._settle(at, self._skipped_ns(at))

    def _skipped_ns(self, at: int) -> int:
        return self._sent_ns[at] + self._pace.scaled(self._scripts[at].took_ns)

    def skip(self, channel: int, now: int) -> None:
        """A webhook does not arrive: go on as if it had been answered."""
        self._outstanding.discard(channel - _FIRST_CHANNEL)
        self._settle(channel - _FIRST_CHANNEL, now)

    def step_of(self, channel: int) -> int:
        """The step of a webhook that went out; 0 if a channel is none."""
        at = channel - _FIRST_CHANNEL
        return self._scripts[at].seq if 0 <= at < len(self._sent_ns) else 0

    # What waits for them

    def released(self, seq: int) -> int | None:
        """When all that was before step `seq` had gone out and was answered where that matters; 0
        if there was nothing, None if that is still to come."""
        before = bisect_left(self._seqs, seq)
        if self._dropped or not before:
            return 0
        if before > len(self._sent_ns):
            return None
        answered = self._answers_before(seq)
        return None if answered is None else max(answered, self._sent_ns[before - 1])

    def settled(self, first: int, last: int) -> int | None:
        """When all answers had come that matter and were before step `last`, to webhooks that were
        after step `first`; 0 if there are none, None if one is missing."""
        return 0 if self._dropped else self._answers_before(last, first)

    def _answers_before(self, seq: int, first: int = 0) -> int | None:
        """When the last answer that matters and was before `seq` came; None if one is missing."""
        latest = 0
        for at, answer_seq in self._answer_seqs.items():
            if answer_seq < seq and self._seqs[at] > first:
                came = self._answered_ns.get(at)
                if came is None:
                    return None
                latest = max(latest, came)
        return latest

    # The end

    def deadline(self) -> int | None:
        """When something happens here by itself."""
        step = self.next_step()
        times = [] if step is None else [self._mode.when_posted(step, self._open_ns)]
        if self._by_tape:
            times += [self._skipped_ns(at) for at in self._unsettled]
        return min((when for when in times if when is not None), default=None)

    def drop(self) -> None:
        """Send no more, and wait for nothing."""
        self._dropped = True
        self._unsettled.clear()
        self._outstanding.clear()

    @property
    def sent(self) -> int:
        """How many went out, or would have."""
        return len(self._sent_ns)

    @property
    def outstanding(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._outstanding or self._unsettled)

    @property
    def over(self) -> bool:
        """Whether nothing is left to send or to wait for."""
        return self.next_step() is None and not self.outstanding

    def unused(self) -> Sequence[DeliveryScript]:
        """Those that did not go out."""
        return self._scripts[len(self._sent_ns) :]
