"""Tapes for diff tests, without a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tapes import Take

from recorder.providers import PROVIDERS
from recorder.providers.base import Provider
from recorder.recording import Moment, Sound
from recorder.spans import lift
from recorder.store.base import EventRow, SegmentRow
from replay.diff import Diff, Side, diff, read
from replay.match.rules import parse_rules

MS = 1_000_000
OPENAI = PROVIDERS["openai"]


def moments(takes: Iterable[Take], provider: Provider = OPENAI) -> Iterator[Moment]:
    """The moments that recording `takes` gives; each stream is one segment."""
    tracker = provider.tracker()
    for seq, (at_ms, channel, sender, kind, type_, body) in enumerate(takes, 1):
        insight = tracker.inspect(channel, sender, kind, type_, body)
        lifted, found = lift(body, insight.audio) if insight.audio else (body, ())
        sounds = tuple(
            Sound(
                SegmentRow("tape", 1, channel, sender, field.stream, field.codec, field.rate, 1, 0),
                0,
                span.data,
            )
            for field, span in found
        )
        is_text = kind != "ws.binary"
        row = EventRow(
            "tape",
            seq,
            int(at_ms * MS),
            channel,
            sender,
            kind,
            insight.type or type_,
            lifted.decode() if is_text else None,
            None if is_text else lifted,
            b"",
        )
        yield Moment(row, tuple(span for _, span in found), sounds)


def side(takes: Iterable[Take], provider: Provider = OPENAI) -> Side:
    """One tape, read."""
    return read(moments(takes, provider), provider)


def between(
    a: Iterable[Take],
    b: Iterable[Take],
    *rules: str,
    provider: Provider = OPENAI,
    **options: Any,
) -> Diff:
    """What `b` differs in from `a`."""
    own = parse_rules(rules, "test")
    return diff(side(a, provider), side(b, provider), provider, own, **options)


def edited(takes: Iterable[Take], old: bytes, new: bytes) -> list[Take]:
    """`takes` with a text replaced wherever it stands."""
    return [take._replace(body=take.body.replace(old, new)) for take in takes]


def changed(takes: Iterable[Take], type_: str, edit: Callable[[Any], None]) -> list[Take]:
    """`takes` with the first message of a type edited."""
    made, is_done = [], False
    for take in takes:
        message = json.loads(take.body) if take.kind == "ws.text" else {}
        if message.get("type") == type_ and not is_done:
            edit(message)
            is_done = True
            take = take._replace(body=json.dumps(message).encode())
        made.append(take)
    assert is_done, f"there is no {type_}"
    return made


def told(found: Diff) -> list[tuple[str, str, str, str, str]]:
    """Grade, kind, what, type and path of each difference."""
    return [(each.grade, each.kind, each.what, each.type, each.path) for each in found.differences]
