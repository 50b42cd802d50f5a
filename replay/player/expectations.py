"""What one client has to send on a WebSocket: which of it a message is, and what has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recorder.events import Kind
from replay.match.compare import Matcher
from replay.match.jsontext import parse
from replay.match.rulebook import value_at
from replay.script import Expected

_AHEAD = 16  # how many expected messages a client may be ahead of the recorded order


class Expectations:
    """The expected messages `steps`. In the recorded order, save what the rules let change places,
    unless `in_order`."""

    def __init__(
        self, steps: Sequence[Expected], matcher: Matcher, now: int, *, in_order: bool
    ) -> None:
        self.steps = steps
        self.matched = [False] * len(steps)
        self.cleared = 0  # those that came, or are no longer waited for, in a row
        self.cleared_ns = [now]  # when the first n had come
        self._first_open = 0
        self._matcher, self._rules, self._in_order = matcher, matcher.book.rules, in_order

    def fitting(self, kind: Kind, type_: str, body: bytes) -> int | None:
        """The expected message that this one is, and its ids are then bound."""
        passed: list[Expected] = []
        for index in self.open():
            step = self.steps[index]
            same_form = step.kind == kind and step.type == type_
            if same_form and all(self._may_pass(step, other) for other in passed):
                if kind == "ws.binary":
                    found = step.body == body
                else:
                    found = self._matcher.match(type_, step.body, body) is None
                if found:
                    return index
            passed.append(step)
            if len(passed) > _AHEAD:
                break
        return None

    def _may_pass(self, step: Expected, other: Expected) -> bool:
        """Whether `step` may come before `other`, which is before it on the tape."""
        rules = self._rules
        if other.type in rules.tolerated:
            return True
        if self._in_order:
            return False
        if {step.type, other.type} & rules.unordered:
            return True
        place = rules.parallel.get(step.type)
        if place is None or step.type != other.type:
            return False
        return all(value_at(parse(each.body), place) is not None for each in (step, other))

    def open(self) -> Iterator[int]:
        """Those that did not come yet, in order."""
        indexes = range(self._first_open, len(self.matched))
        return (index for index in indexes if not self.matched[index])

    def last(self, type_: str, body: bytes) -> int | None:
        """The last one of a type that did not come yet, if a message is that one."""
        steps = [index for index in self.open() if self.steps[index].type == type_]
        fits = steps and self._matcher.match(type_, self.steps[steps[-1]].body, body) is None
        return steps[-1] if fits else None

    def is_early(self, index: int) -> bool:
        """Whether one comes while another before it is still waited for."""
        return not all(self.matched[self.cleared : index])

    def mark(self, index: int, now: int) -> None:
        """One came: move on over all that did, and over what may be missing before it."""
        self.matched[index] = True
        while self._first_open < len(self.matched) and self.matched[self._first_open]:
            self._first_open += 1
        while self.cleared < len(self.steps):
            at = self.cleared
            missing = at < index and self.steps[at].type in self._rules.tolerated
            if not (self.matched[at] or missing):
                break
            self.skip(now)

    def skip(self, now: int) -> None:
        """Wait no longer for the next one."""
        self.cleared += 1
        self.cleared_ns.append(now)

    def missing(self) -> list[Expected]:
        """Those that did not come and were needed."""
        steps = (self.steps[index] for index in self.open())
        return [step for step in steps if step.type not in self._rules.tolerated]
