"""How a batch is written: the hot path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any, Final, NamedTuple

from recorder.store.base import AudioRef, Batch, EventRow
from recorder.store.forms import Forms, Row, refusal
from recorder.store.segments import one_of
from recorder.store.statements import SQLITE, Blocks, Db, Statements

_Key = tuple[str, int]
_FIRST: Final = 1  # where the seq of an event stands in its row


class _State(NamedTuple):
    """What a store has of a session."""

    number: int
    has_ended: bool
    last: int  # the seq of its last event
    forms: int  # the highest number of one


class Appender:
    """Writes batches to one store; it remembers the forms of the sessions that are being written.

    What holds within a batch is left to the database's keys; what holds between it and what is
    stored is asked once a session or segment, not once a row.
    """

    def __init__(self, sql: Statements = SQLITE) -> None:
        self._sql = sql
        self._forms: dict[str, Forms] = {}

    def forget(self) -> None:
        """What was written last is undone."""
        self._forms.clear()

    def append(self, db: Db, batch: Batch) -> None:
        """Write a batch; StoreError for what is refused, after which `forget` is due."""
        sql = self._sql
        events = _by_session(batch.events)
        states = {session: self._state(db, session) for session in _sessions_of(batch, events)}
        _admit_events(batch, events, states)
        if batch.sessions:
            db.executemany(sql.put_session, map(tuple, batch.sessions))
        known = {session: state or self._new(db, session) for session, state in states.items()}
        if batch.channels:
            db.executemany(sql.add_channel, _numbered(batch.channels, known))
        if batch.segments:
            db.executemany(sql.add_segment, _numbered(batch.segments, known))
        if batch.events:
            self._add_events(db, batch, events, known)
        if batch.chunks:
            self._add_chunks(db, _numbered(batch.chunks, known))
        if batch.sealed:
            self._seal(db, _numbered(batch.sealed, known))
        for row in batch.sessions:
            if row.digest is not None:
                self._forms.pop(row.id, None)

    def _state(self, db: Db, session: str) -> _State | None:
        found = db.execute(self._sql.state, (session,)).fetchone()
        return found and _State(*found)

    def _new(self, db: Db, session: str) -> _State:
        found = self._state(db, session)
        if found is None:
            raise refusal(f"session {session} is not there")
        return found

    def _add_events(
        self,
        db: Db,
        batch: Batch,
        events: Mapping[str, Sequence[EventRow]],
        known: Mapping[str, _State],
    ) -> None:
        """Events and their audio."""
        alone, several = _pieces(batch.refs)
        forms: list[Row] = []
        rows: list[Row] = []
        for session, mine in events.items():
            state = known[session]
            shared = self._forms_of(db, session, state)
            rows += shared.rows(state.last, mine, alone)
            forms += shared.fresh
            shared.fresh.clear()
        if alone:
            raise refusal("audio of an event that is not there")
        if forms:
            db.executemany(self._sql.add_form, forms)
        rows.sort(key=len)  # those of one shape together
        for width, same in groupby(rows, len):
            _insert(db, self._sql.add_events[width], list(same))
        if several:
            db.executemany(self._sql.add_ref, _numbered(several, known))

    def _forms_of(self, db: Db, session: str, state: _State) -> Forms:
        """The forms of a session; read again if another program has added to them."""
        found = self._forms.get(session)
        if found is None or found.count != state.forms:
            stored = db.execute(self._sql.forms, (state.number,)).fetchall()
            found = self._forms[session] = Forms(state.number, stored)
        return found

    def _add_chunks(self, db: Db, chunks: Iterable[Row]) -> None:
        """Add the chunks that hold something; bytes of a sealed segment, and bytes that do not
        follow those before them, are refused."""
        ends: dict[tuple[int, int], int] = {}
        rows: list[Row] = []
        for number, segment, start, data in chunks:
            key = (number, segment)
            if key not in ends:
                ends[key] = self._end(db, key)
            if start != ends[key]:
                raise refusal("the chunks of a segment follow each other")
            ends[key] += len(data)
            if data:
                rows.append((number, segment, start, len(data), one_of(data)))
        db.executemany(self._sql.add_chunk, rows)

    def _end(self, db: Db, key: tuple[int, int]) -> int:
        """How many bytes an open segment has."""
        found = db.execute(self._sql.end, key).fetchone()
        if found is None:
            raise refusal(f"segment {key[1]} is not there")
        if found[0]:
            raise refusal(f"segment {key[1]} is sealed")
        return int(found[1])

    def _seal(self, db: Db, sealed: Iterable[Row]) -> None:
        rows = list(sealed)
        result = db.executemany(self._sql.seal, [row[2:] + row[:2] for row in rows])
        if result.rowcount != len(rows):
            raise refusal("a segment that is to be sealed is not there")
        db.executemany(self._sql.drop_chunks, [row[:2] for row in rows])


def _insert(db: Db, blocks: Blocks, rows: Sequence[Row]) -> None:
    """Insert rows of one shape, as many at once as there is a statement for."""
    *several, (_, single) = blocks
    at = 0
    for size, sql in several:
        while len(rows) - at >= size:
            db.execute(sql, tuple(chain.from_iterable(rows[at : at + size])))
            at += size
    db.executemany(single, rows[at:])


def _by_session(events: Iterable[EventRow]) -> dict[str, list[EventRow]]:
    found: dict[str, list[EventRow]] = {}
    for event in events:
        mine = found.get(event[0])
        if mine is None:
            mine = found[event[0]] = []
        mine.append(event)
    return found


def _sessions_of(batch: Batch, events: Iterable[str]) -> set[str]:
    """The sessions to whose tapes something is added, `events` to some of them."""
    added: Iterable[tuple[Any, ...]] = chain(
        batch.channels, batch.segments, batch.chunks, batch.sealed
    )
    return {*events, *(row[0] for row in added)}


def _admit_events(
    batch: Batch, events: Mapping[str, Sequence[EventRow]], states: Mapping[str, _State | None]
) -> None:
    """Refuse events of a session that has ended and is not taken up again, and audio of an event
    that is stored already."""
    taken_up = {row.id for row in batch.sessions if row.digest is None}
    for session in events.keys() - taken_up:
        state = states[session]
        if state and state.has_ended:
            raise refusal(f"session {session} has ended")
    for ref in batch.refs:
        mine = events.get(ref[0])
        if mine is None or ref[1] < mine[0][_FIRST]:
            raise refusal("the audio of an event is stored with it, not after it")


def _numbered(rows: Iterable[tuple[Any, ...]], known: Mapping[str, _State]) -> Iterable[Row]:
    """Rows with the number of their session in the place of its id."""
    return [(known[row[0]].number, *row[1:]) for row in rows]


def _pieces(refs: Iterable[AudioRef]) -> tuple[dict[_Key, AudioRef], list[AudioRef]]:
    """The audio of events that have one piece of it, and of those that have several."""
    alone: dict[_Key, AudioRef] = {}
    several: list[AudioRef] = []
    seen: set[_Key] = set()
    for ref in refs:
        key = ref[:2]
        if key in seen:
            first = alone.pop(key, None)
            several += (ref,) if first is None else (first, ref)
        elif ref.ordinal:
            several.append(ref)
        else:
            alone[key] = ref
        seen.add(key)
    return alone, several
