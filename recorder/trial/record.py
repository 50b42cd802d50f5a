"""What a trial writes on its tapes, and reads from them: notes on a channel of their own.

`trial.run` says which run it is, `trial.turn` when the caller came to a turn and why, `trial.end`
how it went. docs/trial.md lists their keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from recorder.capture.tap import Tape
from recorder.store.base import SessionRow, Store, stored_body

RUN: Final = "trial.run"
TURN: Final = "trial.turn"
END: Final = "trial.end"
TARGET: Final = "trial"
"""What the channel of the notes is of."""


class Notes:
    """Writes the notes of one run."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._channel = tape.channel("notes", TARGET)

    def add(self, type_: str, facts: Mapping[str, Any]) -> None:
        """Record one now."""
        body = json.dumps(facts, ensure_ascii=False).encode()
        self._tape.record(self._channel, "recorder", "note", type_, body)

    def end(self) -> None:
        """Nothing more comes."""
        self._tape.end_channel(self._channel)


class Kept(NamedTuple):
    """A run as its tape tells it. `end` is empty if it did not come to one."""

    row: SessionRow
    run: Mapping[str, Any]
    turns: tuple[Mapping[str, Any], ...]
    end: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str, int]:
        """As `plan.Run.key`."""
        return self.run["scenario"], self.run["provider"], self.run["repeat"]

    @property
    def is_done(self) -> bool:
        """Whether it took place: it was not stopped, its recorder did not die, and the provider
        could be talked to."""
        outcome = self.end.get("outcome")
        took_place = outcome == "finished" or (outcome == "failed" and bool(self.turns))
        return self.row.status == "complete" and took_place


def kept_runs(store: Store, trial: str) -> Iterator[Kept]:
    """The runs of a trial that are on the store, in the order in which they were recorded."""
    for row in store.sessions():
        if row.trial != trial or row.parent is not None:
            continue
        found = read_notes(store, row)
        if found is not None:
            yield found


def read_notes(store: Store, row: SessionRow) -> Kept | None:
    """The run that a session is; None if it is of no trial."""
    channels = [
        each.channel
        for each in store.channels(row.id)
        if each.kind == "notes" and each.target == TARGET
    ]
    if not channels:
        return None
    run: Mapping[str, Any] = {}
    end: Mapping[str, Any] = {}
    turns = []
    for event in store.events(row.id):
        if event.channel != channels[0]:
            continue
        facts = json.loads(stored_body(event))
        if event.type == RUN:
            run = facts
        elif event.type == TURN:
            turns.append({**facts, "seq": event.seq, "at_ns": event.at_ns})
        elif event.type == END:
            end = facts
    return Kept(row, run, tuple(turns), end) if run else None
