"""A client ends the conversation: the provider says so soon, whatever the tape still had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from recorder.providers.base import Tracker
from replay.match.rulebook import Rulebook
from replay.match.sound import measure
from replay.player.pace import Pace
from replay.script import Planned

_DRAIN_NS = 2_000_000_000  # of the tape: what the provider was about to say is still said
_LEAST_DRAIN_NS = 100_000_000  # the same in live time, whatever the speed


class Ending(NamedTuple):
    """The client ended the conversation at `at_ns`; what has no cause but time goes on until
    `until_ns`, then `closed` is said (a provider type)."""

    closed: str
    at_ns: int
    until_ns: int

    def jumps_at(self, due_ns: int | None, *, is_open: bool) -> int | None:
        """When the rest is left out, given when the next message is due, and whether all that
        causes it has happened; None if not before that. What waits for the client waits in
        vain, what waits to be stepped does not."""
        if due_ns is None:
            return None if is_open else self.at_ns
        return self.until_ns if due_ns > self.until_ns else None

    def target(self, planned: Sequence[Planned], sent: int) -> int:
        """The place of the message that tells of the end; else that of the close."""
        rest = range(sent, len(planned))
        told = (at for at in rest if planned[at].type == self.closed)
        closes = (at for at in rest if planned[at].kind == "ws.close")
        return next(told, next(closes, len(planned)))


class Cut(NamedTuple):
    """What was left out of the messages of a connection: `size` of them, after the first
    `start`; `needed` are those that said something."""

    start: int = 0
    size: int = 0
    needed: tuple[Planned, ...] = ()


def ending(closed: str, now: int, pace: Pace) -> Ending:
    """The end of a conversation that the client ends now."""
    return Ending(closed, now, now + max(pace.length(_DRAIN_NS), _LEAST_DRAIN_NS))


def cut_out(
    rest: Sequence[Planned], start: int, book: Rulebook, tracker: Tracker, channel: int
) -> Cut:
    """Leave out `rest`: what may be missing, and silence, is not needed."""
    is_silent = _silence(book, tracker, channel)
    optional = book.rules.optional
    needed = (step for step in rest if step.type not in optional and not is_silent(step))
    return Cut(start, len(rest), tuple(needed))


def _silence(book: Rulebook, tracker: Tracker, channel: int) -> Callable[[Planned], bool]:
    def is_silent(step: Planned) -> bool:
        fields = tracker.inspect(channel, "provider", step.kind, "", step.body).audio
        place = book.rules.deltas.get(step.type)
        return bool(fields) and not measure(step.body, fields, place=place).loud

    return is_silent
