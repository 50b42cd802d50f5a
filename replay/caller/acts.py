"""What the client of a tape did, each with what it waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from recorder.events import Kind
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.spans import AudioField
from replay.script import DeliveryScript, ExchangeScript

What = Literal["say", "ask", "stop", "cut", "speak", "close"]


class Cue(NamedTuple):
    """What had happened on the tape when the client acted, and how much later it acted.

    `signs` and replies count since the client last asked for something. `heard_ns`: it acted
    while so much of the reply had been heard. `played`: it acted after all had been played.
    `gap_ns` is the time since the latest of these (and of its own act before); `wait_ns` that
    since its own act before alone.
    """

    signs: Mapping[str, int]
    begun: int
    ended: int
    heard_ns: int | None
    played: bool
    gap_ns: int
    wait_ns: int


class Chunk(NamedTuple):
    """A message with streamed audio: `at_ns` after the act began, with its `fields` of audio.
    `is_loud`: there is speech in it."""

    seq: int
    at_ns: int
    kind: Kind
    body: bytes
    fields: tuple[AudioField, ...]
    length_ns: int
    is_loud: bool


@dataclass(frozen=True)
class Act:
    """One thing that the client did on a socket.

    `say`, `ask` (for a reply) and `stop` (one) are messages; `cut` tells how much of an item was
    heard, and is `own` if nothing had stopped it before; `speak` is streamed audio, with silence
    after it while the microphone `stays_open`, or until the provider has heard the end of it
    (`is_listened_to`). `after` is the last piece of audio (its seq) that it has to follow; `names`
    are the provider's ids in it.
    """

    seq: int
    at_ns: int
    what: What
    turn: int
    cue: Cue
    type: str = ""
    kind: Kind = "ws.text"
    body: bytes = b""
    after: int = 0
    names: tuple[str, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    stays_open: bool = False
    is_listened_to: bool = False
    own: bool = False


class Result(NamedTuple):
    """How a call was answered: the message, and how long after the call. `body` is empty if it was
    not answered."""

    seq: int
    turn: int
    name: str
    arguments: str
    type: str
    body: bytes
    gap_ns: int


class More(NamedTuple):
    """How the reply to results was asked for: `gap_ns` after the last of the results, and of the
    end of the reply that called, if it `waits` for that."""

    seq: int
    type: str
    body: bytes
    gap_ns: int
    waits: bool


@dataclass(frozen=True)
class SocketPlan:
    """One WebSocket. `answer` is how it was opened or refused; `closed` is who closed it, None if
    the tape does not tell. `faults` are the codes of the errors that came on the tape, each with
    how often; `ids` those of the provider by turn, type and kind, and `told` when each first came;
    in `cut_turns` it stopped a reply. `lends` are the ids that entries after it ask by; one that
    does not answer functions leaves that to another socket."""

    channel: int
    seq: int
    at_ns: int
    end_ns: int
    request: RequestHead
    answer: ResponseHead | None
    acts: tuple[Act, ...]
    results: tuple[Result, ...]
    mores: tuple[More, ...]
    faults: Mapping[str, int]
    ids: Mapping[tuple[int, str, str], tuple[str, ...]]
    cut_turns: frozenset[int]
    closed: Close | None
    closed_by: Literal["client", "provider"] | None
    audio_ns: int
    opened_ns: int  # how long the upgrade took
    told: Mapping[str, int] = field(default_factory=dict)
    lends: frozenset[str] = frozenset()
    answers: bool = True

    @property
    def steps(self) -> int:
        """How many things the client did on it."""
        return len(self.acts) + sum(bool(each.body) for each in self.results) + len(self.mores)


class Entry(NamedTuple):
    """An exchange or a socket. It begins `gap_ns` after the last of what was over before: the
    entries `after`, and on each socket the acts before it, and the ids in its request: `names`,
    each with the number of the entry whose socket tells it."""

    what: SocketPlan | ExchangeScript
    after: tuple[int, ...]
    gap_ns: int
    names: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """The client's side of a tape. `skipped` says what of it cannot be played, and why."""

    entries: tuple[Entry, ...]
    deliveries: tuple[DeliveryScript, ...]
    length_ns: int
    round_trip_ns: int
    skipped: tuple[str, ...] = field(default=())

    @property
    def steps(self) -> int:
        """How many things the client did."""
        return sum(
            entry.what.steps if isinstance(entry.what, SocketPlan) else 1 for entry in self.entries
        )
