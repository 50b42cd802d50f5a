"""Every way to tamper with a tape is found, at the right event and by the right name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tampering import Tampering, verdict_of
from tapes import Script, conversation, record, tone

from recorder.chain import genesis, link
from recorder.recording import Recording, current
from recorder.store import open_store
from recorder.store.base import Batch, Store
from recorder.store.memory import MemoryStore
from recorder.verify import Verdict, verify

TAKES = conversation()
LAST = len(TAKES)
_COLUMNS = "at_ns, channel, sender, kind, type, body, raw, digest"


Made = dict[str, tuple[bytes, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The bytes of a file with one tape and that tape's id, by status."""
    found = {}
    for status in ("complete", "interrupted"):
        path = tmp_path_factory.mktemp("made") / "tapes.db"
        with closing(open_store(str(path), create=True)) as store:
            session = record(store, TAKES, status="complete" if status == "complete" else None)
        found[status] = (path.read_bytes(), session)
    return found


def _copied(made: Made, status: str, folder: Path) -> Tampering:
    data, session = made[status]
    path = folder / "tapes.db"
    path.write_bytes(data)
    return Tampering(path, session)


@pytest.fixture(params=["complete", "interrupted"])
def tape(request: pytest.FixtureRequest, made: Made, tmp_path: Path) -> Tampering:
    return _copied(made, request.param, tmp_path)


@pytest.fixture
def ended(made: Made, tmp_path: Path) -> Tampering:
    return _copied(made, "complete", tmp_path)


@pytest.fixture
def interrupted(made: Made, tmp_path: Path) -> Tampering:
    return _copied(made, "interrupted", tmp_path)


def _number(type_: str, nth: int = 0) -> int:
    """The number of an event on the tape, by its type."""
    found = [at for at, take in enumerate(TAKES, 1) if f'"{type_}"'.encode() in take.body]
    return found[nth]


def test_an_untouched_tape_passes(tape: Tampering) -> None:
    found = tape.verdict()
    assert (found.fault, found.events) == (None, LAST)
    assert found.audio_s == pytest.approx(3.7)


def test_the_digest_is_the_chain_over_the_wire_bytes(ended: Tampering) -> None:
    with closing(open_store(str(ended.path), create=False, readonly=True)) as store:
        tape = Recording(store, ended.session)
        digest = genesis(tape.row.scheme, tape.id, "openai", tape.row.wall_ns)
        for event, take in zip(tape.events(), TAKES, strict=True):
            digest = link(digest, *event._replace(body=take.body)[1:])
    assert ended.verdict().digest == digest == tape.row.digest


def test_a_live_session_passes_so_far() -> None:
    store = MemoryStore()
    session = record(store, TAKES, status=None)
    row = current(store, store.sessions(), 0)[0]._replace(status="recording")
    assert verify(store, row).fault is None
    assert session == row.id


def test_a_tape_without_events_passes() -> None:
    store = MemoryStore()
    assert verdict_of(store, record(store, [])).fault is None


@pytest.mark.parametrize("seq", [1, 2, 11, 30, LAST - 1])
def test_a_deleted_event_is_lost(tape: Tampering, seq: int) -> None:
    tape.run(f"DELETE FROM event WHERE session = :s AND seq = {seq}")
    assert tape.fault()[:3] == ("lost", f"event {seq} was lost", seq)
    assert tape.verdict().events == seq - 1


def test_several_deleted_events_are_named_together(tape: Tampering) -> None:
    tape.run("DELETE FROM event WHERE session = :s AND seq BETWEEN 20 AND 24")
    assert tape.fault().text == "events 20 to 24 were lost"


def test_a_cut_tail_is_lost(ended: Tampering) -> None:
    ended.run(f"DELETE FROM event WHERE session = :s AND seq > {LAST - 3}")
    assert ended.fault().text == f"events {LAST - 2} to {LAST} were lost"


def test_a_tail_cut_off_an_interrupted_tape_is_known_by_its_audio(tmp_path: Path) -> None:
    path = tmp_path / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        takes = Script().open().append(tone(500)).takes
        tape = Tampering(path, record(store, takes, status=None))
    tape.run("DELETE FROM event WHERE session = :s AND seq > 4")
    assert tape.fault()[:3] == ("lost", "event 5 was lost: its audio is here", 5)


@pytest.mark.parametrize("count", [1, 3])
def test_events_taken_out_and_the_rest_numbered_anew_are_lost(ended: Tampering, count: int) -> None:
    first = _number("response.done")
    ended.run(
        f"DELETE FROM event WHERE session = :s AND seq >= {first} AND seq < {first + count}",
        *(
            f"UPDATE event SET seq = {seq - count} WHERE session = :s AND seq = {seq}"
            for seq in range(first + count, LAST + 1)
        ),
    )
    assert (ended.fault().kind, ended.fault().event) == ("lost", first)


@pytest.mark.parametrize(
    "change",
    [
        "body = replace(body, 'e', 'E')",
        "body = body || ' '",
        "at_ns = at_ns + 1",
        "type = 'other'",
        "sender = 'recorder'",
        "raw = CAST(body || 'x' AS BLOB), body = NULL",
        "digest = zeroblob(32)",
    ],
)
@pytest.mark.parametrize("seq", [3, _number("input_audio_buffer.append", 4), LAST])
def test_a_changed_event_is_named(ended: Tampering, seq: int, change: str) -> None:
    ended.run(f"UPDATE event SET {change} WHERE session = :s AND seq = {seq}")
    found = ended.fault()
    assert (found.kind, found.event) == ("changed", seq)
    assert found.text.startswith(f"event {seq} (")


def test_a_changed_event_of_an_interrupted_tape_is_named(interrupted: Tampering) -> None:
    interrupted.run("UPDATE event SET body = body || ' ' WHERE session = :s AND seq = 30")
    assert (interrupted.fault().kind, interrupted.fault().event) == ("changed", 30)


@pytest.mark.parametrize(
    "change", ["body = CAST(x'ff' AS TEXT)", "raw = 'text', body = NULL", "at_ns = 'noon'"]
)
def test_a_column_of_the_wrong_kind_is_a_fault(ended: Tampering, change: str) -> None:
    ended.run(f"UPDATE event SET {change} WHERE session = :s AND seq = 30")
    assert ended.fault().kind == "changed"


def test_a_changed_last_event_is_named(ended: Tampering) -> None:
    ended.run(f"UPDATE event SET body = body || ' ' WHERE session = :s AND seq = {LAST}")
    what = f"event {LAST} (provider ws.close) was changed (or {LAST - 1} together with its digest)"
    assert ended.fault()[:3] == ("changed", what, LAST)


def _swap(one: int, two: int, columns: str) -> list[str]:
    return [
        f"CREATE TABLE spare AS SELECT * FROM event WHERE seq IN ({one}, {two})",
        *(
            f"UPDATE event SET ({columns}) = (SELECT {columns} FROM spare WHERE seq = {other})"
            f" WHERE session = :s AND seq = {own}"
            for own, other in ((one, two), (two, one))
        ),
        "DROP TABLE spare",
    ]


@pytest.mark.parametrize(
    "columns",
    [_COLUMNS, _COLUMNS.replace(", digest", ""), _COLUMNS.replace("at_ns, ", "")],
    ids=["whole", "digests stay", "times stay"],
)
@pytest.mark.parametrize(
    ("one", "two"),
    [(3, 4), (3, 30), (22, 23), (_number("input_audio_buffer.append", 2), 40), (30, LAST)],
)
def test_swapped_events_are_reordered(ended: Tampering, one: int, two: int, columns: str) -> None:
    ended.run(*_swap(one, two, columns))
    what = f"event {one} was reordered: it stands at {two} now"
    assert ended.fault()[:3] == ("reordered", what, one)


@pytest.mark.parametrize(("one", "two"), [(3, 4), (3, 30), (LAST - 1, LAST)])
def test_swapped_events_of_an_interrupted_tape(interrupted: Tampering, one: int, two: int) -> None:
    interrupted.run(*_swap(one, two, _COLUMNS))
    assert (interrupted.fault().kind, interrupted.fault().event) == ("reordered", one)


def test_an_event_moved_behind_the_end_is_reordered_or_added(ended: Tampering) -> None:
    ended.run("UPDATE event SET seq = 900 WHERE session = :s AND seq = 30")
    assert ended.fault()[:3] == ("reordered", "event 30 was reordered: it stands at 900 now", 30)


def _copy(seq: int, to: int) -> str:
    return (
        f"INSERT INTO event SELECT session, {to}, {_COLUMNS} FROM event"
        f" WHERE session = :s AND seq = {seq}"
    )


def test_an_event_added_at_the_end_is_named(ended: Tampering) -> None:
    ended.run(_copy(10, LAST + 1))
    assert ended.fault()[:3] == (
        "added",
        f"event {LAST + 1} was added: the session ended with {LAST}",
        LAST + 1,
    )


def test_an_event_added_at_the_end_with_a_right_link_is_named(ended: Tampering) -> None:
    with closing(open_store(str(ended.path), create=False, readonly=True)) as store:
        *_, last = Recording(store, ended.session).events()
        digest = link(ended.verdict().digest, LAST + 1, *last[2:])
    ended.run(_copy(LAST, LAST + 1))
    ended.run(f"UPDATE event SET digest = x'{digest.hex()}' WHERE seq = {LAST + 1}")
    assert (ended.fault().kind, ended.fault().event) == ("added", LAST + 1)


def test_an_event_added_at_the_end_of_an_interrupted_tape(interrupted: Tampering) -> None:
    interrupted.run(_copy(10, LAST + 1))
    assert interrupted.fault().event == LAST + 1
    assert "was changed or added" in interrupted.fault().text


@pytest.mark.parametrize("seq", [0, -7])
def test_an_event_added_before_the_first_is_named(tape: Tampering, seq: int) -> None:
    tape.run(_copy(10, seq))
    assert tape.fault()[:3] == ("added", f"event {seq} was added before the first", seq)


def test_an_event_put_between_others_is_added(tape: Tampering) -> None:
    tape.run(
        *(
            f"UPDATE event SET seq = {seq + 1} WHERE session = :s AND seq = {seq}"
            for seq in range(LAST, 29, -1)
        ),
        "UPDATE event_audio SET seq = -seq - 1 WHERE session = :s AND seq >= 30",
        "UPDATE event_audio SET seq = -seq WHERE session = :s AND seq < 0",
        _copy(5, 30),
    )
    assert tape.fault()[:3] == ("added", "event 30 was added: the one that was 30 is 31 now", 30)


def test_a_rewritten_chain_is_known_by_the_end(ended: Tampering) -> None:
    """Changing an event and every digest after it is found, though not where it was done."""
    with closing(open_store(str(ended.path), create=False, readonly=True)) as store:
        tape = Recording(store, ended.session)
        digest = genesis(tape.row.scheme, tape.id, "openai", tape.row.wall_ns)
        digests = []
        for event in tape.events():
            if event.seq == 5:
                event = event._replace(body=event.body.replace(b"Short.", b"Long."))
            digest = link(digest, *event[1:])
            digests.append((event.seq, digest.hex()))
    ended.run(
        "UPDATE event SET body = replace(body, 'Short.', 'Long.') WHERE seq = 5",
        *(f"UPDATE event SET digest = x'{text}' WHERE seq = {seq}" for seq, text in digests),
    )
    assert ended.fault().kind == "session"
    assert "digest is not that of its events" in ended.fault().text


@pytest.mark.parametrize("change", ["wall_ns = wall_ns + 1", "provider = 'other'"])
def test_a_changed_session_is_found(ended: Tampering, change: str) -> None:
    ended.run(f"UPDATE session SET {change} WHERE id = :s")
    assert ended.fault().kind == "changed"
    assert "or the session's own row" in ended.fault().text


def test_an_unknown_scheme_is_named(ended: Tampering) -> None:
    ended.run("UPDATE session SET scheme = 'sha512/9' WHERE id = :s")
    found = ended.verdict()
    assert found.fault is not None
    assert (found.fault.kind, found.events) == ("session", 0)
    assert "scheme 'sha512/9'" in found.fault.text


def test_another_known_scheme_is_not_the_tapes_own(ended: Tampering) -> None:
    ended.run("UPDATE session SET scheme = 'sha256/1' WHERE id = :s")
    assert ended.fault()[:3:2] == ("changed", 1)


def _flip_byte(tape: Tampering, place: float) -> None:
    with closing(sqlite3.connect(tape.path)) as db:
        (data,) = db.execute("SELECT data FROM audio WHERE form = 'flac' AND number = 2").fetchone()
    changed = bytearray(data)
    changed[int(place * len(data))] ^= 0x10
    tape.run(f"UPDATE audio SET data = x'{changed.hex()}' WHERE session = :s AND number = 2")


@pytest.mark.parametrize("place", [0.0, 0.3, 0.9, 0.999])
def test_a_flipped_byte_of_flac_is_found(ended: Tampering, place: float) -> None:
    _flip_byte(ended, place)
    found = ended.fault()
    assert (found.kind, found.segment) == ("audio", 2)
    assert found.event == _number("response.output_audio.delta")
    assert found.text.startswith("audio segment 2 (provider item_b) ")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("sha256 = zeroblob(32)", "does not decode to the bytes it had on the wire"),
        ("size = size - 2", "decodes to 96000 bytes; on the wire it had 95998"),
        ("data = x'00', form = 'raw'", "decodes to 1 bytes; on the wire it had 96000"),
    ],
)
def test_a_changed_segment_is_named(ended: Tampering, change: str, what: str) -> None:
    ended.run(f"UPDATE audio SET {change} WHERE session = :s AND number = 2")
    assert ended.fault().segment == 2
    assert what in ended.fault().text


def test_a_lost_segment_is_found(ended: Tampering) -> None:
    ended.run("DELETE FROM audio WHERE session = :s AND number = 1")
    assert ended.fault().event == _number("input_audio_buffer.append")
    assert "audio segment 1 is lost" in ended.fault().text


def test_lost_chunks_of_an_open_segment_are_found(tmp_path: Path) -> None:
    path = tmp_path / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        takes = Script().open().append(tone(500)).takes
        tape = Tampering(path, record(store, takes, status=None))
    tape.run("UPDATE audio_chunk SET data = substr(data, 1, 10000) WHERE session = :s")
    assert tape.fault().event == 5
    assert "needs bytes 9600 to 14400 of audio segment 1, which has 10000" in tape.fault().text


@pytest.mark.parametrize("change", ["at = at + 1", "start = start + 2", "encoding = 'raw'"])
def test_a_changed_reference_changes_its_event(tape: Tampering, change: str) -> None:
    seq = _number("input_audio_buffer.append", 3)
    tape.run(f"UPDATE event_audio SET {change} WHERE session = :s AND seq = {seq}")
    assert (tape.fault().kind, tape.fault().event) == ("changed", seq)


APPEND = _number("input_audio_buffer.append", 3)


@pytest.mark.parametrize(
    ("statement", "kind", "event"),
    [
        ("DELETE FROM tape_event WHERE session = :s AND seq = 7", "lost", 7),
        ("UPDATE tape_event SET at_ns = 0 WHERE session = :s AND seq = 9", "changed", 9),
        (
            f"UPDATE tape_event SET body = 'x' WHERE session = :s AND seq = {APPEND}",
            "changed",
            APPEND,
        ),
        (
            f"UPDATE tape_event SET start = 2 WHERE session = :s AND seq = {APPEND}",
            "changed",
            APPEND,
        ),
        (
            f"UPDATE tape_event SET form = 1 WHERE session = :s AND seq = {APPEND}",
            "changed",
            APPEND,
        ),
        (
            "UPDATE tape_form SET type = 'other' WHERE session = :s AND form ="
            " (SELECT form FROM tape_event WHERE session = :s AND seq = 7)",
            "changed",
            7,
        ),
        (
            "DELETE FROM tape_form WHERE session = :s AND form ="
            " (SELECT form FROM tape_event WHERE session = :s AND seq = 7)",
            "lost",
            7,
        ),
    ],
)
def test_what_is_done_to_the_tables_is_found(
    tape: Tampering, statement: str, kind: str, event: int
) -> None:
    tape.run_within(statement)
    assert (tape.fault().kind, tape.fault().event) == (kind, event)


def test_an_unsealed_segment_of_an_ended_session_is_a_fault() -> None:
    store = MemoryStore()
    session = record(store, Script().open().append(tone(100)).takes, status=None)
    row = store.session(session)
    assert row is not None
    digest = verdict_of(store, session).digest
    store.commit(Batch([row._replace(status="complete", ended_ns=1, events=3, digest=digest)]))
    found = verdict_of(store, session).fault
    assert found is not None
    assert "was not sealed though the session has ended" in found.text


def _sessions(store: Store) -> Iterator[Verdict]:
    for row in store.sessions():
        yield verdict_of(store, row.id)


def test_one_bad_tape_does_not_spoil_another(tmp_path: Path) -> None:
    path = tmp_path / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        good, bad = record(store, TAKES), record(store, TAKES)
    Tampering(path, bad).run("DELETE FROM event WHERE session = :s AND seq = 7")
    with closing(open_store(str(path), create=False, readonly=True)) as store:
        found = {verdict.row.id: verdict.fault is None for verdict in _sessions(store)}
    assert found == {good: True, bad: False}
