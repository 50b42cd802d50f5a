"""Reading a tape: the bytes that come back, what is held while reading, and names of sessions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pybase64 import b64encode_as_string
from tapes import WALL_NS, Script, Take, conversation, record, tone
from thoroughness import examples

from recorder.chain import SCHEME
from recorder.derive import seen
from recorder.errors import StoreError
from recorder.recording import (
    AudioReader,
    DamagedTape,
    Recording,
    UnknownSession,
    current,
    find_session,
)
from recorder.store import open_store
from recorder.store.base import AudioRef, Batch, RunRow, SessionRow, Store
from recorder.store.memory import MemoryStore

SECOND = 1_000_000_000


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'tapes.db'}"
    found = open_store(url, create=True)
    yield found
    found.close()


@pytest.fixture
def kept() -> Store:
    return MemoryStore()


class Counting(MemoryStore):
    """Counts how often each segment's bytes are read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: Counter[int] = Counter()

    def audio(self, session: str, segment: int) -> bytes:
        self.reads[segment] += 1
        return super().audio(session, segment)


@pytest.mark.parametrize("status", ["complete", None])
def test_events_come_back_as_they_were_recorded(store: Store, status: str | None) -> None:
    takes = conversation()
    tape = Recording(store, record(store, takes, status=status))  # type: ignore[arg-type]
    events = list(tape.events())
    assert [event.body for event in events] == [take.body for take in takes]
    assert [event.seq for event in events] == list(range(1, len(takes) + 1))
    assert [event.at_ns for event in events] == [int(take.at_ms * 1e6) for take in takes]
    assert [event.sender for event in events] == [take.sender for take in takes]
    assert events[2].type == "session.created"


def test_events_after_a_number(store: Store) -> None:
    takes = conversation()
    tape = Recording(store, record(store, takes))
    assert [event.body for event in tape.events(after=20)] == [take.body for take in takes[20:]]
    assert list(tape.events(after=len(takes))) == []


def test_audio_is_lifted_and_still_restored(store: Store) -> None:
    tape = Recording(store, record(store, Script().open().append(tone(300)).takes))
    moments = [moment for moment in tape.moments() if moment.sounds]
    assert len(moments) == 3
    assert json.loads(moments[0].lifted) == {"type": "input_audio_buffer.append", "audio": ""}
    assert b"".join(moment.sounds[0].data for moment in moments) == tone(300)
    assert [moment.sounds[0].start for moment in moments] == [0, 4800, 9600]
    assert tape.audio_sizes() == {1: 14_400}


_TEXT = st.text(max_size=30).map(lambda text: text.encode())
_AUDIO = st.binary(max_size=40).map(
    lambda data: (
        b'{"type": "input_audio_buffer.append", "audio":"%s"}' % b64encode_as_string(data).encode()
    )
)
_STRANGE = st.sampled_from(
    [
        b"",
        b"\xff\xfe\x00",
        b"a\x00b",
        b'{"type":"input_audio_buffer.append","audio":"not base64!"}',
        b'{"type":"input_audio_buffer.append","audio":"AAAAAAAAAAA="}',
        b'{"type":"input_audio_buffer.append","audio":"AAAAAAAAAAB="}',
        b'{"audio":"AAAAAAAAAAAA","type":"input_audio_buffer.append","audio":"BBBBBBBBBBBB"}',
        b'{"type":"x","n":1.0e+00,"n":1}',
        b'{"type":"response.output_audio.delta","delta":"\\u0041AAAAAAAAAAA"}',
    ]
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(_TEXT | _AUDIO | _STRANGE, max_size=8))
def test_any_body_comes_back_byte_for_byte(bodies: list[bytes]) -> None:
    store = MemoryStore()
    takes = [Take(at, 1, "client", "ws.text", "", body) for at, body in enumerate(bodies)]
    tape = Recording(store, record(store, takes))
    assert [event.body for event in tape.events()] == bodies


def test_each_segment_is_read_once() -> None:
    store = Counting()
    script = Script().open()
    for turn in range(5):
        script.append(tone(400)).client("input_audio_buffer.commit")
        script.speak(f"item_{turn}", tone(600))
        script.provider("response.output_audio.done", item_id=f"item_{turn}")
    tape = Recording(store, record(store, script.takes))
    store.reads.clear()
    list(tape.events())
    assert store.reads == Counter(range(1, 11))


def test_the_cache_lets_go_of_the_oldest_segment() -> None:
    store = Counting()
    script = Script().open()
    for turn in range(3):
        script.speak(f"item_{turn}", tone(200))
    session = record(store, script.takes)
    store.reads.clear()
    reader = AudioReader(store, session, limit=2 * len(tone(200)))
    for segment in (1, 2, 1, 3, 1, 2):
        reader.read(AudioRef(session, 1, 0, 0, "base64", segment, 0, 4))
    assert store.reads == Counter({1: 1, 2: 2, 3: 1})


def test_a_slice_outside_its_segment_is_damage() -> None:
    store = MemoryStore()
    session = record(store, Script().open().append(tone(100)).takes)
    reader = AudioReader(store, session)
    with pytest.raises(DamagedTape, match=r"event 7 needs bytes 4000 to 5000 .* has 4800"):
        reader.read(AudioRef(session, 7, 0, 0, "base64", 1, 4000, 1000))
    with pytest.raises(DamagedTape, match="segment 9 is lost"):
        reader.read(AudioRef(session, 7, 0, 0, "base64", 9, 0, 10))
    assert issubclass(DamagedTape, StoreError)


def test_a_lost_segment_is_told_where_only_its_length_is_asked_for(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = record(kept, Script().open().append(tone(100)).takes)
    assert sum(each.audio_ms for each in seen(kept, session)) == pytest.approx(100)
    monkeypatch.setattr(kept, "segments", lambda _: [])
    with pytest.raises(DamagedTape, match=r"segment 1 is lost: `record verify"):
        list(seen(kept, session))


def test_a_recording_of_nothing(kept: Store) -> None:
    with pytest.raises(UnknownSession, match=r"no session 'abc': `record sessions` lists"):
        Recording(kept, "abc")


def _three(store: Store) -> list[str]:
    return [
        record(store, Script().open().takes, wall_ns=WALL_NS + days * 86_400 * SECOND)
        for days in range(3)
    ]


def test_sessions_are_found_by_id_prefix_and_age(kept: Store) -> None:
    first, second, third = _three(kept)
    assert find_session(kept, second).id == second
    assert find_session(kept, first[:12]).id == first
    assert find_session(kept, first[:12].upper()).id == first
    assert find_session(kept, "last").id == third
    assert find_session(kept, "last~1").id == second
    assert find_session(kept, "LAST~2").id == first


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("zzz", "no session 'zzz': `record sessions` lists those of the store"),
        ("", "no session ''"),
        ("last~3", "there is no last~3: the store has 3 sessions"),
        ("last~x", "no session 'last~x'"),
        ("last~", "no session 'last~'"),
    ],
)
def test_unknown_names_say_what_to_do(kept: Store, name: str, message: str) -> None:
    _three(kept)
    with pytest.raises(UnknownSession) as caught:
        find_session(kept, name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_ambiguous_prefix_lists_candidates(kept: Store) -> None:
    ids = sorted(
        record(kept, Script().open().takes, wall_ns=WALL_NS + n * 1_000_000) for n in range(7)
    )
    with pytest.raises(UnknownSession) as caught:
        find_session(kept, ids[0][:6])
    assert f"fits 7 sessions ({', '.join(ids[:5])}, …): give more" in str(caught.value)


def test_an_empty_store_says_how_to_record(kept: Store) -> None:
    with pytest.raises(UnknownSession, match="record proxy --trial NAME"):
        find_session(kept, "last")


def test_current_counts_what_a_dead_writer_left(kept: Store) -> None:
    takes = conversation()[:40]
    record(kept, takes, status=None)
    (row,) = current(kept, kept.sessions(), WALL_NS + 3600 * SECOND)
    assert (row.status, row.events) == ("interrupted", 40)
    assert row.ended_ns == int(takes[-1].at_ms * 1e6)


def test_current_leaves_an_ended_session_alone(kept: Store) -> None:
    record(kept, conversation())
    rows = kept.sessions()
    assert current(kept, rows, WALL_NS) == rows


def test_the_last_to_replay_is_never_a_replay() -> None:
    store = MemoryStore()
    store.put_run(RunRow("run", "host", 1, 1, 1))
    rows = [
        SessionRow(f"0{number}", "t", "openai", number, SCHEME, "run", origin=origin)
        for number, origin in enumerate(["proxy", "import", "replay", "replay"])
    ]
    store.commit(Batch(sessions=rows))
    assert find_session(store, "last").id == "03"
    assert find_session(store, "last", replays=False).id == "01"
    assert find_session(store, "last~1", replays=False).id == "00"
    with pytest.raises(UnknownSession, match="2 sessions, replays aside"):
        find_session(store, "last~2", replays=False)
    assert find_session(store, "03", replays=False).id == "03"
