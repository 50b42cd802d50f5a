"""Where a conversation stands on one socket: who speaks, what is heard, what is owed.

One and the same for a tape that is read and a run that goes on, so that both are judged alike.
Counts are those since the client last asked for something: how often a provider answers, and
whether it calls a function on the way, may differ between two runs of a turn.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from recorder.providers.base import Conduct
from recorder.providers.neutral import (
    Committed,
    Configured,
    Neutral,
    Ready,
    ResponseEnded,
    ResponseStarted,
    ToolAnswered,
    ToolCalled,
    UserSpeech,
    Voiced,
)
from recorder.trial.playout import PlayOut
from replay.caller.perception import Seen


class Cut(NamedTuple):
    """An item that was not played to its end: it was stopped at `at_ns`, `ms` of it heard."""

    item: str
    ms: int
    at_ns: int


class _Reply(NamedTuple):
    """A reply under way, or one that called functions and is not `continued` yet."""

    turn: int  # what the client had asked
    is_active: bool = True
    calls: bool = False
    continued: bool = False


class Scene:
    """Follows one socket. Times in ns."""

    def __init__(self, conduct: Conduct, peers: list[Scene] | None = None) -> None:
        """`peers` are the scenes of the session's sockets, this one is added: what the client does
        on one of them holds for all."""
        self.playout = PlayOut()
        self.is_ready = False
        self.signs: Counter[str] = Counter()  # since the client last asked
        self.begun = self.ended = 0  # replies since then; ended: those that call nothing
        self.last_ns = self.activity_ns = 0
        self.cuts: deque[Cut] = deque()
        self.turn = 0
        self.since = 0  # the first track of the play-out since then
        self.acks = self.ack_ns = 0  # how often the provider said that it took something; when
        self._acks = conduct.acks
        self._continues = bool(conduct.more)  # what follows a call has to be asked for
        self._peers = [] if peers is None else peers
        self._peers.append(self)
        self._replies: dict[str, _Reply] = {}
        self._open_calls: set[str] = set()
        self._readers: Mapping[type, Callable[..., None]] = {
            Ready: self._is_ready,
            Configured: self._configured,
            UserSpeech: self._speech,
            Committed: self._committed,
            ResponseStarted: self._started,
            ResponseEnded: self._over,
            ToolCalled: self._called,
            ToolAnswered: self._answered,
        }

    # What passes

    def provider(self, seen: Seen, now: int) -> None:
        """A message of the provider."""
        self.activity_ns = now
        self.tell(seen.told, now)
        if seen.type in self._acks:
            self.acks += 1
            self.ack_ns = self.last_ns = now
        if seen.cue == "play":
            voiced = next((each for each in seen.told if isinstance(each, Voiced)), Voiced())
            name = voiced.item or f"{voiced.response or ''}/{self.turn}"
            for heard in seen.heard:
                self.playout.add(name, heard.length_ns, now)
        elif seen.cue == "stop":
            self.interrupt(now)

    def tell(self, told: Iterable[Neutral], now: int) -> None:
        """What was told, on this socket or beside it."""
        for each in told:
            reader = self._readers.get(type(each))
            if reader is not None:
                reader(each)
                self.last_ns = now

    def client(self, seen: Seen, now: int) -> None:
        """A message of the client."""
        for each in seen.told:
            if isinstance(each, ToolAnswered):
                for peer in self._peers:
                    peer._answered(each)
        if seen.cue == "stop":
            self.interrupt(now)

    def asked(self) -> None:
        """The client asks for something: count from here."""
        self.turn += 1
        self.signs.clear()
        self.begun = self.ended = 0
        self.since = self.playout.count
        self.cuts.clear()

    def interrupt(self, now: int) -> None:
        """Playing stops."""
        self.cuts.extend(Cut(item, ms, now) for item, ms in self.playout.interrupt(now))

    def continued(self) -> None:
        """The client asked for the reply to results."""
        for peer in self._peers:
            peer._continue()

    def _continue(self) -> None:
        for name, reply in list(self._replies.items()):
            if reply.calls and reply.is_active:
                self._replies[name] = reply._replace(continued=True)
            elif reply.calls:
                del self._replies[name]

    # What it comes to

    @property
    def is_replying(self) -> bool:
        """Whether a reply is under way."""
        return any(reply.is_active for reply in self._replies.values())

    @property
    def owes(self) -> bool:
        """Whether a reply called functions, and the client has not asked for what follows."""
        return self._continues and any(
            reply.calls and not reply.continued for reply in self._replies.values()
        )

    @property
    def awaits_results(self) -> bool:
        """Whether a call has no result yet."""
        return bool(self._open_calls)

    @property
    def is_idle(self) -> bool:
        """Whether the provider is not about to say anything."""
        return not (self.is_replying or self.awaits_results or self.owes)

    def is_playing(self, now: int) -> bool:
        """Whether something is heard, or about to be."""
        return self.playout.ends_at > now

    # Signs

    def _is_ready(self, told: Ready) -> None:
        self.is_ready = True

    def _configured(self, told: Configured) -> None:
        if told.edge == "done":
            self.signs["settings"] += 1

    def _speech(self, told: UserSpeech) -> None:
        self.signs["speech" if told.edge == "started" else "silence"] += 1

    def _committed(self, told: Committed) -> None:
        self.signs["input"] += 1

    def _started(self, told: ResponseStarted) -> None:
        self.begun += 1
        self._replies[told.response] = _Reply(self.turn)
        if not self._continues:
            self._open_calls.clear()  # it speaks again: the results may have gone elsewhere

    def _over(self, told: ResponseEnded) -> None:
        self.playout.complete()
        reply = self._replies.get(told.response)
        if reply is None:
            return
        del self._replies[told.response]
        if not (reply.calls and self._continues):
            self.ended += reply.turn == self.turn
        elif not reply.continued and told.status != "cancelled":
            self._replies[told.response] = reply._replace(is_active=False)

    def _called(self, told: ToolCalled) -> None:
        self._open_calls.add(told.call)
        reply = self._replies.get(told.response or "")
        if reply is not None:
            self._replies[told.response or ""] = reply._replace(calls=True)

    def _answered(self, told: ToolAnswered) -> None:
        self._open_calls.discard(told.call)
