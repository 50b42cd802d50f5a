"""Which faults were applied, as the recorder's notes and for a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from recorder.counting import counted
from recorder.events import Message
from replay.faults.grammar import Fault

ENDS = frozenset({"break", "close"})


class Applied(NamedTuple):
    """A fault that happened: when (ns), on which channel, to what (`response.done`), which is step
    `step` of the tape (0: of none). `name` is what was done; chaos is one thing each time."""

    at_ns: int
    channel: int
    fault: Fault
    name: str
    what: str
    step: int = 0

    @property
    def ends(self) -> bool:
        """Whether it ended a connection that was open."""
        return self.name in ENDS and self.fault.where.place not in ("open", "request")

    @property
    def place(self) -> str:
        """What it was applied to."""
        return f"{self.what} (step {self.step})" if self.step else self.what

    def __str__(self) -> str:
        name = f" {self.name}" if self.name != self.fault.name else ""
        return f"{self.fault.text}:{name} {self.place}"

    def note(self) -> Message:
        """It as an event of the tape that is being recorded."""
        told = {"message": f"fault {self}", "fault": self.fault.text, "step": self.step or None}
        return Message(self.channel, "note", json.dumps(told, ensure_ascii=False).encode())


def idle(faults: Sequence[Fault], applied: Sequence[Applied]) -> list[str]:
    """A remark for each fault of a plan that did not happen."""
    happened = {each.fault.text for each in applied}
    texts = dict.fromkeys(fault.text for fault in faults)
    return [f"fault never applied: {text}" for text in texts if text not in happened]


def told(applied: Sequence[Applied]) -> list[str]:
    """A line for each fault of a plan that happened: where first, and how often."""
    groups: dict[str, list[Applied]] = {}
    for each in applied:
        groups.setdefault(each.fault.text, []).append(each)
    return [
        f"{first}" + (f", and {counted(len(rest), 'time')} more" if rest else "")
        for first, *rest in groups.values()
    ]
