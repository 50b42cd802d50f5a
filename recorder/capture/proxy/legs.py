"""One channel being recorded, which may not know yet on which tape.

A webhook can come before the answer that names its call. It is passed on at once; what there is to
record of it is kept, with the moment of each event, until the tape is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

from recorder.capture.tap import Tape
from recorder.events import Kind, Sender
from recorder.store.base import ChannelKind


class _Kept(NamedTuple):
    moment_ns: int
    channel: int
    sender: Sender
    kind: Kind
    type: str
    body: bytes


class Leg:
    """A channel. What it is told it keeps until `lay` gives it a tape, and again after `hold`.

    `began_ns` is when it was made; `channel` its number, once it has a tape.
    """

    def __init__(self, now_ns: Callable[[], int], kind: ChannelKind, target: str) -> None:
        self._now_ns, self._kind, self._target = now_ns, kind, target
        self.began_ns = now_ns()
        self.tape: Tape | None = None
        self.channel = 0
        self._kept: list[_Kept] = []
        self._is_held = True
        self._is_over = False

    def record(self, sender: Sender, kind: Kind, type_: str, body: bytes) -> None:
        """Record one event as of now."""
        if self.tape is None or self._is_held:
            self._kept.append(_Kept(self._now_ns(), 0, sender, kind, type_, body))
        else:
            self.tape.record(self.channel, sender, kind, type_, body)

    def note(self, what: str, **facts: object) -> None:
        """A remark of the recorder."""
        text = json.dumps(facts, ensure_ascii=False).encode()
        self.record("recorder", "note", what, text)

    def hold(self) -> None:
        """Keep what comes from here on until the leg is laid (again)."""
        self._is_held = True

    def end(self) -> None:
        """Nothing more comes on this channel."""
        self._is_over = True
        if self.tape is not None and not self._is_held:
            self.tape.end_channel(self.channel)

    def settle(self, tape: Tape) -> list[_Kept]:
        """Take the tape, and let go of what was kept; for `lay`."""
        if self.tape is None:
            self.tape, self.channel = tape, tape.channel(self._kind, self._target)
        kept = [each._replace(channel=self.channel) for each in self._kept]
        self._kept.clear()
        return kept

    def resume(self) -> None:
        """What comes from here on goes to the tape; for `lay`."""
        self._is_held = False
        if self._is_over:
            self.end()


def lay(tape: Tape, legs: Iterable[Leg]) -> None:
    """Put legs on a tape: what they kept comes first, in the order in which it happened."""
    ordered = sorted(legs, key=lambda leg: leg.began_ns)
    kept = [each for leg in ordered for each in leg.settle(tape)]
    for each in sorted(kept, key=lambda each: each.moment_ns):
        tape.record_late(*each)
    for leg in ordered:
        leg.resume()
