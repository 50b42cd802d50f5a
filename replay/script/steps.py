"""What a tape is made of, for playing: sockets, exchanges and webhooks, with their causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from recorder.events import Kind
from recorder.heads import RequestHead, ResponseHead
from replay.match.stretch import Stretch


class Expected(NamedTuple):
    """A client message that provider messages wait for.

    `seq` is its number on the tape, `at_ns` its time; `allow_ns` how long the client of the tape
    needed for it: the time since the message before, or the length of the audio sent since, if that
    is longer.
    """

    seq: int
    kind: Kind
    type: str
    body: bytes
    allow_ns: int
    at_ns: int = 0


class Chunk(NamedTuple):
    """A client message of streamed audio: `size` bytes of it, `loud` of them sound, the last
    `tail` of them silence."""

    seq: int
    kind: Kind
    body: bytes
    size: int
    loud: int
    tail: int


class Planned(NamedTuple):
    """A provider message (or its close).

    It waits until the first `after` expected messages have come, and until `loud` bytes of sound
    and then `trail` bytes of any audio were streamed (or as long as these last); then `gap_ns`,
    the time on the tape since the latest of these and the message before.
    `names` are the ids in it that the client of the tape made.

    On the tape it went at `at_ns`, when the client had streamed `sound` bytes of sound in all.
    `follows`: it has no other cause than the provider's message before it; so it waits for no
    sound, has no such names, and is not the close.
    """

    seq: int
    kind: Kind
    type: str
    body: bytes
    after: int
    loud: int
    trail: int
    gap_ns: int
    allow_ns: int
    names: tuple[str, ...] = ()
    at_ns: int = 0
    sound: int = 0
    follows: bool = False


@dataclass(frozen=True)
class SocketScript:
    """One WebSocket. `request` is None where the tape does not tell how it was opened; `audio` is
    all that the client streamed (bytes, of which `byte_rate` make a second), in the messages
    `chunks`, and `stretches` is this audio from cut to cut; `allow_ns` is how long it took from the
    last message to the close, which is event `closed_seq`; `hung_up`: the client sent
    it, with a close frame."""

    channel: int
    seq: int
    request: RequestHead | None
    answer: ResponseHead
    refusal: bytes
    gap_ns: int
    expected: tuple[Expected, ...]
    planned: tuple[Planned, ...]
    audio: int
    byte_rate: int
    allow_ns: int
    closed_seq: int | None
    at_ns: int
    end_ns: int
    stretches: tuple[Stretch, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    hung_up: bool = False

    @cached_property
    def sums(self) -> tuple[list[int], list[int]]:
        """How much audio, and how much sound, the first n chunks have."""
        sizes = accumulate((chunk.size for chunk in self.chunks), initial=0)
        louds = accumulate((chunk.loud for chunk in self.chunks), initial=0)
        return list(sizes), list(louds)


@dataclass(frozen=True)
class ExchangeScript:
    """One HTTP exchange; `gap_ns` is from the end of the request, or the answer to the last webhook
    that decided it, to the end of the answer, whose last event is `end_seq`."""

    channel: int
    seq: int
    end_seq: int
    type: str
    request: RequestHead
    sent: bytes
    response: ResponseHead
    received: bytes
    gap_ns: int
    at_ns: int
    end_ns: int


@dataclass(frozen=True)
class DeliveryScript:
    """One webhook. `answer` is None where no application answered on the tape.

    It waits for all that was before it; `loud` is how many bytes of sound each socket (by its
    channel) must have streamed; `gap_ns` is the time on the tape since the latest of its causes,
    `took_ns` that to its answer, which is event `answer_seq`.
    """

    channel: int
    seq: int
    type: str
    request: RequestHead
    sent: bytes
    answer: ResponseHead | None
    received: bytes
    answer_seq: int | None
    loud: Mapping[int, int]
    gap_ns: int
    took_ns: int
    at_ns: int
    end_ns: int


@dataclass(frozen=True)
class Script:
    """The provider's side of a tape. `minted` are the ids that its client made."""

    sockets: tuple[SocketScript, ...]
    exchanges: tuple[ExchangeScript, ...]
    minted: frozenset[str]
    length_ns: int
    deliveries: tuple[DeliveryScript, ...] = ()
