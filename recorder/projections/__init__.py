"""Read models: what a session's events come to. Pure, and a function of the events alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from recorder.providers.neutral import Decoder, HearingDecoder, Neutral

VERSION = "5"
"""Of this code. A change that gives other rows for some tape gets a new one: rows of an older
version are made anew when they are next read."""


class Seen(NamedTuple):
    """One event with its body as stored (without its audio), and how much audio it carried;
    `levels` of it (see `HearingDecoder`) where the provider's decoder hears."""

    event: Event
    audio_ms: float
    levels: Sequence[float] = ()


def version(provider: Provider) -> str:
    """Of the read models of a provider's sessions: of this code, and of the decoder's rule."""
    decoder = provider.decoder()
    return f"{VERSION} {decoder.rule}" if isinstance(decoder, HearingDecoder) else VERSION


def project(session: str, events: Iterable[Seen], provider: Provider) -> Models:
    """The read models of a session, given all of its events in order."""
    decoder, fold = provider.decoder(), Conversation()
    read = _reader(decoder)
    for each in events:
        fold.take(each.event, each.audio_ms, read(each))
    if isinstance(decoder, HearingDecoder):
        fold.finish(session, decoder.end())
    made = Models(
        _row(OutlineRow, fold.outline, session=session),
        [_turn(session, each, fold) for each in fold.turns],
        [_sounding(ResponseRow, session, *each) for each in enumerate(fold.responses.values(), 1)],
        [_sounding(ItemRow, session, *each) for each in enumerate(fold.items.values(), 1)],
        [
            _row(ToolCallRow, each, session=session, ordinal=number)
            for number, each in enumerate(fold.calls.values(), 1)
        ],
        [_transcript(session, *each) for each in enumerate(fold.transcripts, 1)],
        [_interruption(session, *each, fold) for each in enumerate(fold.interruptions, 1)],
        fold.errors,
        fold.vendor,
        fold.unknown_rows(session),
        dict(_seqs(fold)),
        frozenset(fold.derived),
    )
    return made if fold.last_ns else _without_times(made)


def _reader(decoder: Decoder) -> Callable[[Seen], Sequence[Neutral]]:
    if isinstance(decoder, HearingDecoder):
        hear = decoder.hear
        return lambda seen: hear(*seen)
    return lambda seen: decoder.decode(seen.event)


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


def _seqs(fold: Conversation) -> Iterator[tuple[tuple[str, int], Mapping[str, int]]]:
    """Which event each moment is; see `Models`."""
    yield ("outline", 1), fold.outline.seqs
    yield from ((("turn", each.number), each.seqs) for each in fold.turns)
    for number, each in enumerate(fold.interruptions, 1):
        yield ("interruption", number), each.seqs


def _row(kind: Any, draft: drafts.Spanned, **given: Any) -> Any:
    """A row of a draft. What is not given is what the draft has by the same name; `x_ns` is when
    its moment `x` was."""
    cells = {name: given[name] if name in given else _cell(draft, name) for name in kind._fields}
    return kind(**cells)


def _cell(draft: drafts.Spanned, name: str) -> Any:
    if not name.endswith(("_ns", "_stamp_ms")):
        return getattr(draft, name)
    told = getattr(draft, name[:-3])
    return None if told is None else told[0]


def _turn(session: str, each: drafts.Turn, fold: Conversation) -> TurnRow:
    said = {role: _text(fold, each.number, role) for role in ("user", "assistant")}
    texts = {"user_text": said["user"], "agent_text": said["assistant"]}
    row: TurnRow = _row(TurnRow, each, session=session, turn=each.number, **texts)
    return row


def _text(fold: Conversation, turn: int, role: str) -> str:
    """The words of one side in a turn: those that were spoken, else those that were written."""
    mine = [each for each in fold.transcripts if (each.turn, each.words.role) == (turn, role)]
    spoken = [each for each in mine if each.words.via == "speech"]
    return " ".join(each.text.strip() for each in (spoken or mine) if each.text.strip())


def _sounding(
    kind: type[Any], session: str, number: int, each: drafts.Response | drafts.Item
) -> Any:
    ms = round(each.audio_ms, 3)
    return _row(kind, each, session=session, ordinal=number, audio_ms=ms)


def _transcript(session: str, number: int, each: drafts.Transcript) -> TranscriptRow:
    words = each.words
    whose = {"role": words.role, "via": words.via, "item": words.item, "response": words.response}
    row: TranscriptRow = _row(TranscriptRow, each, session=session, ordinal=number, **whose)
    return row


def _interruption(
    session: str, number: int, each: drafts.Interruption, fold: Conversation
) -> InterruptionRow:
    response = fold.responses.get(each.response or "")
    row: InterruptionRow = _row(
        InterruptionRow,
        each,
        session=session,
        ordinal=number,
        ended_ns=response.ended.at_ns if response and response.ended else None,
        generated_ms=round(response.audio_ms, 3) if response else 0.0,
    )
    return row
