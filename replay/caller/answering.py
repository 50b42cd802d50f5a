"""What a client does by itself when a function is called: gives the result, then asks to go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

from recorder.events import Message
from recorder.providers.neutral import Neutral, ResponseEnded, ToolAnswered, ToolCalled
from replay.caller.acts import More, SocketPlan
from replay.caller.kit import LATE, Kit, Ready
from replay.caller.scene import Scene
from replay.caller.tools import Tools, drop_names, encoded

Send = Callable[[bytes, int], list[Message]]


class _Pending(NamedTuple):
    """A message that is due at `when`; `seq` is its number on the tape, 0 if it is not there."""

    when: int
    seq: int
    body: bytes
    is_result: bool


class Answering:
    """Follows one socket. `send` makes a message of a body. Times in ns."""

    def __init__(self, plan: SocketPlan, scene: Scene, tools: Tools, kit: Kit, send: Send) -> None:
        self._plan, self._scene, self._tools = plan, scene, tools
        self._conduct, self._notes, self._send = kit.conduct, kit.notes, send
        self._pending: list[_Pending] = []
        self._mores = list(plan.mores)
        self._answers = plan.answers and kit.conduct.result is not None
        self._result_ns = self._done_ns = 0
        self._gave = False  # a result since the last time that more was asked for

    def hear(self, told: Iterable[Neutral], turn: int, now: int) -> None:
        """What a message of the provider means."""
        for each in told:
            if isinstance(each, ResponseEnded):
                self._done_ns = now
            elif isinstance(each, ToolCalled) and self._answers:
                self._called(each, turn, now)

    def missed(self, turn: int) -> None:
        """A turn is over: note what was not called in it."""
        for name in self._tools.missed(turn):
            self._notes.note(turn, f"{name} was not called")

    def add(self, when: int, body: bytes) -> None:
        """A message that the tape does not have."""
        self._pending.append(_Pending(when, 0, body, False))

    def _called(self, call: ToolCalled, turn: int, now: int) -> None:
        reply = self._tools.answer(call)
        if reply.note:
            self._notes.note(turn, reply.note)
        if reply.body:
            self._pending.append(_Pending(now + reply.gap_ns, reply.seq, reply.body, True))
        else:
            self._scene.tell((ToolAnswered(call.call, ""),), now)

    def ready(self) -> list[Ready]:
        """What can be done, and when."""
        found = [Ready(each.when, each.seq or LATE, self._giver(each)) for each in self._pending]
        more = self._more()
        return [*found, more] if more is not None else found

    def _giver(self, pending: _Pending) -> Callable[[int], list[Message]]:
        def give(now: int) -> list[Message]:
            self._pending.remove(pending)
            self._mark(pending.seq)
            if pending.is_result:
                self._result_ns, self._gave = now, True
            return self._send(pending.body, now)

        return give

    def _more(self) -> Ready | None:
        """Ask for the reply to results, once all are given."""
        scene = self._scene
        if not self._plan.answers:
            return None
        if not scene.owes or scene.awaits_results or self._pending:
            return None
        more = self._template()
        if more is None or not self._gave:
            return Ready(max(self._result_ns, self._done_ns), LATE, self._drop)
        if more.waits and scene.is_replying:
            return None
        since = max(self._result_ns, self._done_ns if more.waits else 0)
        return Ready(since + more.gap_ns, more.seq or LATE, lambda at: self._ask(more, at))

    def _template(self) -> More | None:
        """How more is asked for: as on the tape; in the provider's words if nothing was called
        there; not at all if the tape's client did not."""
        if self._mores:
            return self._mores[0]
        if self._plan.mores:
            return self._plan.mores[-1]._replace(seq=0)
        has_results = any(each.body for each in self._plan.results)
        return None if has_results else More(0, "", self._conduct.more, 0, True)

    def _drop(self, now: int) -> list[Message]:
        self._scene.continued()
        return []

    def _ask(self, more: More, now: int) -> list[Message]:
        body = more.body
        if more.seq:
            self._mores.pop(0)
            self._mark(more.seq)
        else:
            message = json.loads(body)
            drop_names(message)
            body = encoded(message)
        self._gave = False
        self._scene.continued()
        return self._send(body, now)

    def _mark(self, seq: int) -> None:
        if seq:
            self._notes.done.add(seq)
