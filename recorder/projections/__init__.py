"""Read models: what a session's events come to. Pure, and a function of the events alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from recorder.events import Event
from recorder.projections import drafts
from recorder.projections.conversation import Conversation
from recorder.projections.rows import (
    InterruptionRow,
    ItemRow,
    Models,
    OutlineRow,
    ResponseRow,
    ToolCallRow,
    TranscriptRow,
    TurnRow,
)
from recorder.providers.base import Provider

VERSION = "1"
"""Of this code. A change that gives other rows for some tape gets a new one: rows of an older
version are made anew when they are next read."""


class Seen(NamedTuple):
    """One event with its body as stored (without its audio), and how much audio it carried."""

    event: Event
    audio_ms: float


def project(session: str, events: Iterable[Seen], provider: Provider) -> Models:
    """The read models of a session, given all of its events in order."""
    decoder, fold = provider.decoder(), Conversation()
    for event, audio_ms in events:
        fold.take(event, audio_ms, decoder.decode(event))
    ended_ns, ended = fold.ended or (None, None)
    outline = OutlineRow(
        session,
        fold.placed_ns,
        fold.placed_done_ns,
        fold.connected_ns,
        fold.opened_ns,
        fold.ready_ns,
        fold.configure_ns,
        fold.configured_ns,
        ended_ns,
        ended.reason if ended else None,
        ended.by if ended else None,
        fold.stalls,
        fold.first_seq,
        fold.last_seq,
    )
    made = Models(
        outline,
        _turns(session, fold),
        [_response(session, *each) for each in enumerate(fold.responses.values(), 1)],
        [_item(session, *each) for each in enumerate(fold.items.values(), 1)],
        [_call(session, *each) for each in enumerate(fold.calls.values(), 1)],
        [_transcript(session, *each) for each in enumerate(fold.transcripts, 1)],
        [_interruption(session, *each, fold) for each in enumerate(fold.interruptions, 1)],
        fold.errors,
        fold.vendor,
        fold.unknown_rows(session),
    )
    return made if fold.last_ns else _without_times(made)


def _without_times(made: Models) -> Models:
    """An import may have no times: then no moment is known, rather than being 0."""
    made.outline = _untimed(made.outline)
    for rows in (made.turns, made.responses, made.tool_calls, made.transcripts, made.interruptions):
        rows[:] = map(_untimed, rows)
    return made


def _untimed(row: Any) -> Any:
    hints = type(row).__annotations__
    known = [name for name in row._fields if name.endswith("_ns") and "None" in str(hints[name])]
    return row._replace(**dict.fromkeys(known))


def _turns(session: str, fold: Conversation) -> list[TurnRow]:
    return [
        TurnRow(
            session,
            turn.number,
            turn.origin,
            turn.user_started_ns,
            turn.user_stopped_ns,
            turn.committed_ns,
            turn.asked_ns,
            turn.response_ns,
            turn.first_text_ns,
            turn.first_audio_ns,
            turn.last_audio_ns,
            turn.ended_ns,
            _text(fold, turn.number, "user"),
            _text(fold, turn.number, "assistant"),
            turn.responses,
            turn.tool_calls,
            turn.was_interrupted,
            turn.user_stopped_stamp_ms,
            turn.response_stamp_ms,
            turn.first_seq,
            turn.last_seq,
        )
        for turn in fold.turns
    ]


def _text(fold: Conversation, turn: int, role: str) -> str:
    """The words of one side in a turn: those that were spoken, else those that were written."""
    mine = [each for each in fold.transcripts if (each.turn, each.words.role) == (turn, role)]
    spoken = [each for each in mine if each.words.via == "speech"]
    return " ".join(each.text.strip() for each in (spoken or mine) if each.text.strip())


def _response(session: str, number: int, each: drafts.Response) -> ResponseRow:
    return ResponseRow(
        session,
        number,
        each.name,
        each.turn,
        each.status,
        each.reason,
        each.started_ns,
        each.first_text_ns,
        each.first_audio_ns,
        each.last_audio_ns,
        each.ended_ns,
        round(each.audio_ms, 3),
        each.first_seq,
        each.last_seq,
    )


def _item(session: str, number: int, each: drafts.Item) -> ItemRow:
    return ItemRow(
        session,
        number,
        each.name,
        each.kind,
        each.role,
        each.response,
        each.turn,
        round(each.audio_ms, 3),
        each.heard_ms,
        each.first_seq,
        each.last_seq,
    )


def _call(session: str, number: int, each: drafts.ToolCall) -> ToolCallRow:
    return ToolCallRow(
        session,
        number,
        each.call,
        each.turn,
        each.response,
        each.name,
        each.arguments,
        each.called_ns,
        each.output,
        each.answered_ns,
        each.failed,
        each.first_seq,
        each.last_seq,
    )


def _transcript(session: str, number: int, each: drafts.Transcript) -> TranscriptRow:
    return TranscriptRow(
        session,
        number,
        each.turn,
        each.words.role,
        each.words.via,
        each.words.item,
        each.words.response,
        each.text,
        each.first_ns,
        each.final_ns,
        each.start_ms,
        each.end_ms,
        each.first_seq,
        each.last_seq,
    )


def _interruption(
    session: str, number: int, each: drafts.Interruption, fold: Conversation
) -> InterruptionRow:
    response = fold.responses.get(each.response or "")
    return InterruptionRow(
        session,
        number,
        each.turn,
        each.by,
        each.response,
        each.item,
        each.detected_ns,
        each.acted_ns,
        response.ended_ns if response else None,
        round(response.audio_ms, 3) if response else 0.0,
        sum(each.heard.values()) if each.heard else None,
        each.first_seq,
        each.last_seq,
    )
