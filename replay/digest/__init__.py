"""The canonical digest of a tape: equal for two runs of the same conversation; docs/digest.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from recorder.audio.silence import form_of
from recorder.events import Event
from recorder.providers.base import Provider
from recorder.spans import lift
from replay.digest.channel import Channel, Lifted, Sequenced
from replay.digest.numbering import Numbering
from replay.match.jsontext import canonical
from replay.match.rulebook import Rulebook

SCHEME = "canonical/2"
_FIRST = {"provider": 0, "client": 1, "both": 0}


class Part(NamedTuple):
    """One sequence of messages: `channel` counts from 1 in the order of opening, webhooks after
    all others, because how they come between these depends on timing; `sender` is
    `both` where the order of the directions counts; `lane` is empty for the main sequence, else
    the type (or `streamed`) whose messages have a sequence of their own."""

    channel: int
    sender: str
    lane: str
    messages: int
    digest: str


class TapeDigest(NamedTuple):
    """The digest of a tape (hexadecimal SHA-256), and those of its parts."""

    digest: str
    parts: tuple[Part, ...]


def tape_digest(
    events: Iterable[Event], provider: Provider, book: Rulebook, *, order: bool = False
) -> TapeDigest:
    """The digest of a tape, given as its events in order. `order` counts in how the messages of
    the two directions, and the pieces of streams, came between each other."""
    channels: dict[int, Channel] = {}
    tracker = provider.tracker()
    for event in events:
        if event.sender == "recorder" or event.kind in ("ws.ping", "ws.pong", "note"):
            continue
        if event.channel not in channels:
            channels[event.channel] = Channel(book, order=order)
        _, _, _, number, sender, kind, type_, body = event
        fields = tracker.inspect(number, sender, kind, type_, body).audio
        lifted = Lifted(body)
        if fields:
            rest, spans = lift(body, fields)
            audio = b"".join(span.data for _, span in spans)
            lifted = Lifted(rest, audio, form_of(fields[0]))
        channels[event.channel].take(event, lifted)
    for channel in channels.values():
        channel.finish(provider)
    ordered = sorted(channels.values(), key=lambda channel: channel.is_webhook)
    sequences = [
        (number, sequence)
        for number, channel in enumerate(ordered, 1)
        for sequence in channel.sequences()
    ]
    sequences.sort(key=lambda each: (_FIRST[each[1].sender], each[0]))
    numbering = Numbering(
        {key: "call" for channel in channels.values() for key in channel.keys},
        [value for _, sequence in sequences for value in sequence.values],
    )
    parts = tuple(_part(number, sequence, numbering) for number, sequence in sequences)
    return TapeDigest(_total(parts, order), parts)


def _part(number: int, sequence: Sequenced, numbering: Numbering) -> Part:
    state = sha256()
    for value in sequence.values:
        state.update(canonical(numbering.resolve(value)).encode() + b"\n")
    size = len(sequence.values)
    return Part(number, sequence.sender, sequence.lane, size, state.hexdigest())


def _total(parts: Sequence[Part], order: bool) -> str:
    lines = [f"{SCHEME} {'ordered' if order else 'unordered'}"]
    lines += (f"{part.channel} {part.sender} {part.lane} {part.digest}" for part in parts)
    return sha256("\n".join(lines).encode()).hexdigest()
