"""`strict`: everything happens in the recorded order, over all connections, requests, webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from replay.player.modes.base import Ahead, Lane, World
from replay.player.modes.causal import Causal
from replay.player.pace import Pace
from replay.script import Planned, Script

_NS = 1_000_000_000
_SLACK_NS = _NS // 10  # sound that may be missing before a message
_AHEAD_S = 2  # sound that a client may have streamed beyond what it had before the next message


class Strict(Causal):
    """A message waits for all that was before it; what a client does before something else that was
    before it on the tape is wrong. Streamed sound keeps step: a message waits for what was before
    it (less 100 ms), and a client may be 2 s further."""

    in_order = True
    follows = False

    def __init__(self, pace: Pace, world: World, script: Script) -> None:
        super().__init__(pace, world)
        self._gaps = dict(_gaps(script))

    def when(self, lane: Lane, step: Planned) -> int | None:
        """The recorded gap after whatever was before it, once all of it has happened."""
        opened = lane.opened(step)
        if opened is None or not self._has_sound(lane, step) or self._world.pending(step.seq):
            return None
        gap_ns = self._pace.scaled(self._gaps[step.seq])
        return max(lane.clock, opened, self._world.latest_ns() + gap_ns)

    def _has_sound(self, lane: Lane, step: Planned) -> bool:
        slack = lane.script.byte_rate * _SLACK_NS // _NS
        return lane.ear.loud >= step.sound - slack

    def heard(self, lane: Lane) -> int:
        """Whenever a gate opens, or the sound is there that was before the next message."""
        step = lane.next_step()
        return lane.ear.opened + (step is not None and self._has_sound(lane, step))

    def is_held(self, lane: Lane, step: Planned) -> bool:
        """While it waits for something that is not of its connection."""
        if lane.awaited() is not None:
            return False
        return lane.released(step.seq) is None or self._world.pending(step.seq) is not None

    def ahead(self, seq: int, what: str) -> Ahead | None:
        """Whatever was before it and has not happened."""
        before = self._world.pending(seq)
        return Ahead(seq, what, before) if before else None

    def ahead_audio(self, lane: Lane) -> Ahead | None:
        """More sound than there was before the next message, by more than 2 s."""
        step = lane.next_step()
        limit = lane.script.byte_rate * _AHEAD_S
        if step is None or lane.ear.loud <= step.sound + limit:
            return None
        more = (lane.ear.loud - step.sound) / lane.script.byte_rate
        return Ahead(0, f"{more:.1f} s of audio", f"step {step.seq} {step.type or step.kind}")


def _gaps(script: Script) -> Iterator[tuple[int, int]]:
    """The gap (ns) between each provider message and what was before it, by its step."""
    latest = 0
    for seq, at_ns, is_planned in sorted(_times(script)):
        if is_planned:
            yield seq, max(0, at_ns - latest)
        latest = max(latest, at_ns)


def _times(script: Script) -> Iterator[tuple[int, int, bool]]:
    """The step and time of everything but streamed audio; whether it is a provider message."""
    for socket in script.sockets:
        yield socket.seq, socket.at_ns + socket.gap_ns, False
        yield from ((step.seq, step.at_ns, False) for step in socket.expected)
        yield from ((step.seq, step.at_ns, True) for step in socket.planned)
    for exchange in script.exchanges:
        yield exchange.seq, exchange.at_ns, False
        yield exchange.end_seq, exchange.end_ns, False
    for delivery in script.deliveries:
        yield delivery.seq, delivery.at_ns, False
        if delivery.answer_seq is not None:
            yield delivery.answer_seq, delivery.at_ns + delivery.took_ns, False
