"""What the caller of a trial really said in the turns of its tape, by the trial's own notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from recorder.projections.rows import TurnRow
from recorder.store.base import EventRow, stored_body
from recorder.trial.record import TURN


class Said(NamedTuple):
    """The caller began a turn of its scenario. `text` is None where its words are not noted, such
    as those of a file without `text`, or with personal data left out."""

    seq: int
    text: str | None
    mode: str


def said(row: EventRow) -> Said | None:
    """What an event notes of a spoken turn; None if it is no such note."""
    if (row.sender, row.kind, row.type) != ("recorder", "note", TURN):
        return None
    facts = json.loads(stored_body(row))
    return Said(row.seq, facts.get("text"), facts["mode"]) if "ms" in facts else None


def references(spoken: Sequence[Said], turns: Sequence[TurnRow]) -> dict[int, str]:
    """Turn of the tape -> what was said in it. What began no turn went on with the one before. A
    turn is left out if it cannot be told what belongs to it: its words are not known, some of them
    were to be ignored, or the provider made several turns of them."""
    heard = [turn for turn in turns if turn.origin == "speech"]
    parts: dict[int, list[Said]] = {}
    latest: list[Said] = []
    ends = [*(each.seq for each in spoken), None][1:]
    for each, end in zip(spoken, ends, strict=True):
        own = [
            turn.turn
            for turn in heard
            if each.seq <= turn.first_seq and (end is None or turn.first_seq < end)
        ]
        if own:
            latest = []
        if len(own) == 1:
            parts[own[0]] = latest
        latest.append(each)
    return {
        turn: " ".join(each.text or "" for each in all_of)
        for turn, all_of in parts.items()
        if all(each.text and each.mode != "ignore" for each in all_of)
    }
