"""The read models of one session: rows that are derived from its events and can be made again.

Times (`*_ns`) are offsets since the session's anchor, at the recorder: when a message was read.
`first_seq` and `last_seq` are the first and last event that a row rests on. What is not known is
None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class TurnRow(NamedTuple):
    """What a user said, and all that the agent did until the user's next input. A turn that the
    agent began has the origin `agent`."""

    session: str
    turn: int
    origin: str  # speech, text, agent
    user_started_ns: int | None  # the provider heard speech begin, or a rule found that it did
    user_stopped_ns: int | None  # the provider heard it end, for the last time in this turn
    committed_ns: int | None
    asked_ns: int | None
    response_ns: int | None
    first_text_ns: int | None
    first_audio_ns: int | None
    last_audio_ns: int | None
    ended_ns: int | None
    user_text: str
    agent_text: str
    responses: int
    tool_calls: int
    was_interrupted: bool
    user_stopped_stamp_ms: float | None  # the provider's own clock: Unix time
    response_stamp_ms: float | None
    first_seq: int
    last_seq: int


class ResponseRow(NamedTuple):
    """One answer of the model, or one speech of the assistant where the provider has no answers."""

    session: str
    ordinal: int
    response: str
    turn: int
    status: str | None
    reason: str | None
    started_ns: int | None
    first_text_ns: int | None
    first_audio_ns: int | None
    last_audio_ns: int | None
    ended_ns: int | None
    audio_ms: float
    first_seq: int
    last_seq: int


class ItemRow(NamedTuple):
    """An item that the provider holds; `heard_ms` where the client said how much was heard."""

    session: str
    ordinal: int
    item: str
    kind: str
    role: str | None
    response: str | None
    turn: int | None
    audio_ms: float
    heard_ms: float | None
    first_seq: int
    last_seq: int


class ToolCallRow(NamedTuple):
    """A call of a function and its result."""

    session: str
    ordinal: int
    call: str
    turn: int
    response: str | None
    name: str
    arguments: str
    called_ns: int
    output: str | None
    answered_ns: int | None
    failed: bool | None
    first_seq: int
    last_seq: int


class TranscriptRow(NamedTuple):
    """Words of one side, of one item or answer."""

    session: str
    ordinal: int
    turn: int
    role: str
    via: str  # speech, text
    item: str | None
    response: str | None
    text: str
    first_ns: int
    final_ns: int | None
    start_ms: float | None  # the provider's own place of it in the session
    end_ms: float | None
    first_seq: int
    last_seq: int


class InterruptionRow(NamedTuple):
    """An answer that was cut off. `detected_ns`: the provider heard the user, or said so;
    `acted_ns`: the client told the provider; `ended_ns`: the answer was over."""

    session: str
    ordinal: int
    turn: int
    by: str  # client, provider
    response: str | None
    item: str | None
    detected_ns: int | None
    acted_ns: int | None
    ended_ns: int | None
    generated_ms: float
    heard_ms: float | None
    first_seq: int
    last_seq: int


class UsageRow(NamedTuple):
    """What a provider says was used."""

    session: str
    ordinal: int
    turn: int | None
    key: str
    component: str
    model: str | None
    meter: str
    quantity: str  # a decimal number
    unit: str
    seq: int


class ErrorRow(NamedTuple):
    """Something failed."""

    session: str
    ordinal: int
    turn: int | None
    at_ns: int
    class_: str
    side: str | None
    code: str
    text: str
    is_fatal: bool
    seq: int


class VendorRow(NamedTuple):
    """A latency that the provider measured itself, by its own name; `vendor_turn` counts its
    turns, which need not be ours."""

    session: str
    ordinal: int
    vendor_turn: int
    name: str
    ms: float
    seq: int


class UnknownRow(NamedTuple):
    """A type of message that no decoder knows."""

    session: str
    type: str
    times: int
    first_seq: int


class OutlineRow(NamedTuple):
    """The session's own moments."""

    session: str
    placed_ns: int | None
    placed_done_ns: int | None
    connected_ns: int | None
    opened_ns: int | None
    ready_ns: int | None
    configure_ns: int | None
    configured_ns: int | None
    ended_ns: int | None
    end_reason: str | None
    ended_by: str | None
    stalls: int
    first_seq: int
    last_seq: int


@dataclass
class Models:
    """All read models of one session that need no audio. `seqs`: the events of a row's moments, by
    table and number (the outline's is 1) and by name: `seqs["turn", 3]["user_stopped"]`. `derived`:
    the turns whose beginning a rule found, because the provider tells none."""

    outline: OutlineRow
    turns: list[TurnRow] = field(default_factory=list)
    responses: list[ResponseRow] = field(default_factory=list)
    items: list[ItemRow] = field(default_factory=list)
    tool_calls: list[ToolCallRow] = field(default_factory=list)
    transcripts: list[TranscriptRow] = field(default_factory=list)
    interruptions: list[InterruptionRow] = field(default_factory=list)
    errors: list[ErrorRow] = field(default_factory=list)
    vendor: list[VendorRow] = field(default_factory=list)
    unknown: list[UnknownRow] = field(default_factory=list)
    seqs: dict[tuple[str, int], Mapping[str, int]] = field(default_factory=dict)
    derived: frozenset[int] = frozenset()
