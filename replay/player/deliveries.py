"""The webhooks of a tape: each goes out at its place among all else, and its answer is awaited."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.match.rulebook import Rulebook
from replay.player.line import Pace
from replay.script import DeliveryScript

_FIRST_CHANNEL = 1_000_000  # above every channel that a shell numbers
_ADDRESS = "/webhooks/"
Reached = Callable[[DeliveryScript], bool]


class Answer(NamedTuple):
    """What the application said to a webhook."""

    script: DeliveryScript
    head: ResponseHead
    body: bytes


class Deliveries:
    """Sends the webhooks of `scripts` to the URL `target`, in order.

    One goes out once `reached` says that all has happened that was before it, the answers that
    matter included, and its recorded gap has passed. Without a `target` nothing is sent, and each
    counts as answered after the time that it took on the tape. `dress` completes a body.
    """

    def __init__(
        self,
        scripts: Sequence[DeliveryScript],
        target: str | None,
        book: Rulebook,
        pace: Pace,
        reached: Reached,
        dress: Callable[[bytes], bytes],
    ) -> None:
        self._scripts, self._target, self._pace = scripts, target, pace
        self._reached, self._dress = reached, dress
        self._seqs = [script.seq for script in scripts]
        self._answer_seqs = {
            at: script.answer_seq
            for at, script in enumerate(scripts)
            if script.type in book.rules.awaited and script.answer_seq is not None
        }
        self._open_ns: int | None = None  # when the next one had nothing more to wait for
        self._sent_ns: list[int] = []
        self._answered_ns: dict[int, int] = {}
        self._outstanding: set[int] = set()
        self._dropped = False

    # What goes out

    def due(self, now: int) -> list[Message]:
        """Those to be sent by `now`."""
        self._skip(now)
        sent: list[Message] = []
        while (script := self.next_step()) is not None:
            if self._open_ns is None and self._is_open(script):
                self._open_ns = now
            when = self._when(script)
            if when is None or when > now:
                break
            sent += self._send(script, when)
            self._open_ns = None
        return sent

    def next_step(self) -> DeliveryScript | None:
        """The next one to go out."""
        at = len(self._sent_ns)
        return None if self._dropped or at == len(self._scripts) else self._scripts[at]

    def _is_open(self, script: DeliveryScript) -> bool:
        return self._answers_before(script.seq) is not None and self._reached(script)

    def _when(self, script: DeliveryScript) -> int | None:
        return None if self._open_ns is None else self._open_ns + self._pace.scaled(script.gap_ns)

    def _send(self, script: DeliveryScript, when: int) -> list[Message]:
        at = len(self._sent_ns)
        self._sent_ns.append(when)
        self._outstanding.add(at)
        if self._target is None:
            return []
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
        self._settle(at, now)
        return Answer(self._scripts[at], ResponseHead.decode(message.body), message.payload)

    def _settle(self, at: int, now: int) -> None:
        self._outstanding.discard(at)
        self._answered_ns[at] = now

    def _skip(self, now: int) -> None:
        """Without an application, an answer is there when it was on the tape."""
        if self._target is None:
            for at in [at for at in self._outstanding if self._skipped_ns(at) <= now]:
                self._settle(at, self._skipped_ns(at))

    def _skipped_ns(self, at: int) -> int:
        return self._sent_ns[at] + self._pace.scaled(self._scripts[at].took_ns)

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

    def _answers_before(self, seq: int) -> int | None:
        """When the last answer that matters and was before `seq` came; None if one is missing."""
        latest = 0
        for at, answer_seq in self._answer_seqs.items():
            if answer_seq < seq:
                came = self._answered_ns.get(at)
                if came is None:
                    return None
                latest = max(latest, came)
        return latest

    # The end

    def deadline(self) -> int | None:
        """When something happens here by itself."""
        step = self.next_step()
        times = [] if step is None else [self._when(step)]
        if self._target is None:
            times += [self._skipped_ns(at) for at in self._outstanding]
        return min((when for when in times if when is not None), default=None)

    def drop(self) -> None:
        """Send no more, and wait for nothing."""
        self._dropped = True
        self._outstanding.clear()

    @property
    def sent(self) -> int:
        """How many went out, or would have."""
        return len(self._sent_ns)

    @property
    def outstanding(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._outstanding)

    @property
    def over(self) -> bool:
        """Whether nothing is left to send or to wait for."""
        return self.next_step() is None and not self._outstanding

    def unused(self) -> Sequence[DeliveryScript]:
        """Those that did not go out."""
        return self._scripts[len(self._sent_ns) :]

    @property
    def reached_ns(self) -> int:
        """How far on the tape the last one reaches that went out."""
        return self._scripts[len(self._sent_ns) - 1].end_ns if self._sent_ns else 0
