"""The client's side of a tape by heart, and replays of tapes in virtual time.

    python taped_client.py NAME…      # one line each: NAME MODE DIGEST

It needs the package and its dependencies only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from virtual_runs import RUNS, events_of

from recorder.events import Event, Message
from recorder.providers import provider
from replay.digest import tape_digest
from replay.loopback import Loopback
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.player.modes import ModeName
from replay.script import read_script

LIMIT_NS = 1_800_000_000_000
PLAYED: tuple[ModeName, ...] = ("causal", "strict", "timed")


class Taped:
    """Says what the client of `events` said, when it did, whatever comes."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._said = list(_said(events))
        self.got: list[Message] = []

    def receive(self, message: Message, now: int) -> None:
        self.got.append(message)

    def due(self, now: int) -> list[Message]:
        ready = [message for at, message in self._said if at <= now]
        self._said = self._said[len(ready) :]
        return ready

    def next_deadline(self) -> int | None:
        return self._said[0][0] if self._said else None


def _said(events: Iterable[Event]) -> Iterator[tuple[int, Message]]:
    for event in events:
        if event.sender == "client" and event.kind.startswith("ws."):
            yield event.at_ns, Message(event.channel, event.kind, event.body)


def replayed(
    tape: Sequence[Event], name: str, speed: float | None = 1.0, **options: Any
) -> tuple[Player, list[Event]]:
    """What a replay of a tape to its own client came to, and its tape."""
    found = provider(name)
    book = Rulebook(found.RULES)
    player = Player(read_script(tape, found, book), found, book, speed=speed, **options)
    return player, events_of(Loopback(Taped(tape), player, limit_ns=LIMIT_NS), name)


def digest(events: Iterable[Event], name: str) -> str:
    """The digest of a tape, order included."""
    found = provider(name)
    return tape_digest(events, found, Rulebook(found.RULES), order=True).digest


def digests(run: str) -> list[tuple[str, str]]:
    """The digest of a replay of one of `virtual_runs`, in each mode."""
    name, make = RUNS[run]
    tape = make()
    return [(mode, digest(replayed(tape, name, mode=mode)[1], name)) for mode in PLAYED]


if __name__ == "__main__":
    for each in sys.argv[1:]:
        for mode, found in digests(each):
            print(each, mode, found)
