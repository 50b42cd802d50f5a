"""An exported tape comes back as the same tape, by the library and by the commands."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner
from exporting import EVENTS, export, take_in
from hypothesis import given
from hypothesis import strategies as st
from tapes import RATE, Script, Take, conversation, record, session_object, tone

from recorder.capture.importers.folder_lines import event_line, parse_line
from recorder.chain import SCHEME
from recorder.clock import SystemClock
from recorder.commands.export import command as export_command
from recorder.commands.import_ import command as import_command
from recorder.errors import RecorderError
from recorder.export import ExportRefused
from recorder.recording import Recording, current
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import AudioRef, EventRow, Store
from recorder.store.memory import MemoryStore
from recorder.verify import verify

DEEP = b"[" * 100_000
ODD_BODIES = [
    b'{"type":"a",  "b":1, "b":1.0, "c":1e0, "d":-0}',
    b'{"b": "\\u00e9\\/\xc3\xa9", "type":"a"}',
    b'{"type":"lone","s":"\\ud800"}',
    b' {"type":"space before"}',
    b'{"type":"space after"}\t',
    b'{"type":"lines",\n "a":1}\r\n',
    b'{"type":"u2028","s":"\xe2\x80\xa8\xc2\x85"}',
    b'{"type":"nan","n":NaN}',
    b'{"type":"huge","n":1' + b"0" * 5000 + b"}",
    b"\xef\xbb\xbf{}",
    b"",
    b'"a string"',
    b"12",
    b"not json",
    b"NUL\0inside",
    b'{"invalid":"\xff\xfe"}',
    b"\xed\xa0\x80",
    DEEP,
]


def _odd() -> Script:
    """Everything that must survive, with audio that does not divide into whole samples."""
    script = Script().open().provider("session.created", session=session_object())
    for body in ODD_BODIES:
        script.wait(1).add("client", "ws.text", body)
    script.add("client", "ws.binary", b"\0\xff binary").add("provider", "ws.ping", b"p")
    script.append(tone(300)).client("input_audio_buffer.append", audio="AAECAwQFBgc=")
    script.client("input_audio_buffer.append", audio="not base64 at all!")
    script.speak("../../etc/item one", tone(500)).provider("response.output_audio.done")
    return script.close()


def _telephone() -> Script:
    audio = {"format": {"type": "audio/pcmu"}}
    session = session_object(audio={"input": audio, "output": audio})
    script = Script().open().provider("session.created", session=session)
    for _ in range(5):
        script.client("input_audio_buffer.append", audio="f39/" * 54)
    return script.close()


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _fault(store: Store, session: str) -> object:
    row = store.session(session)
    assert row is not None
    return verify(store, current(store, [row], SystemClock().wall_ns())[0]).fault


@pytest.mark.parametrize("takes", [conversation(), _odd().takes, _telephone().takes])
def test_export_import_export_is_the_same(takes: list[Take], tmp_path: Path) -> None:
    first = MemoryStore()
    session = record(first, takes, external_id="sess_1", parent="a tape elsewhere")
    export(first, session, tmp_path / "one")
    with closing(open_store(str(tmp_path / "two.db"), create=True)) as second:
        row, fresh = take_in(second, tmp_path / "one", Secrets(b"another key"))
        assert fresh
        assert _fault(second, session) is None
        original = first.session(session)
        assert original is not None
        assert row._replace(run="") == original._replace(run="")
        assert list(Recording(second, session).events()) == list(Recording(first, session).events())
        assert list(second.refs(session)) == list(first.refs(session))
        assert list(second.events(session)) == list(first.events(session))
        export(second, session, tmp_path / "two")
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_the_folder_is_for_reading(tmp_path: Path) -> None:
    store = MemoryStore()
    done = export(store, record(store, conversation()), tmp_path / "tape")
    files = _files(tmp_path / "tape")
    assert done.bytes == sum(map(len, files.values()))
    assert sorted(files) == [
        "audio/001-client.flac",
        "audio/002-provider-item_b.flac",
        "events.jsonl",
        "session.json",
    ]
    lines = [json.loads(line) for line in files["events.jsonl"].decode().splitlines()]
    assert list(lines[2]) == [
        "seq",
        "at_ns",
        "channel",
        "sender",
        "kind",
        "type",
        "json",
        "digest",
    ]
    assert lines[2]["json"]["session"]["model"] == "gpt-realtime"
    said = next(line for line in lines if "audio" in line)
    assert said["json"] == {"type": "input_audio_buffer.append", "audio": ""}
    assert said["audio"] == [
        {"at": 48, "encoding": "base64", "segment": 1, "start": 0, "length": RATE // 10 * 2}
    ]
    facts = json.loads(files["session.json"])
    assert list(facts) == sorted(facts)
    assert (facts["scheme"], facts["digest"]) == (SCHEME, lines[-1]["digest"])
    assert facts["channels"] == [{"channel": 1, "kind": "ws", "target": "/v1/realtime"}]
    assert [(each["file"], each["sender"]) for each in facts["segments"]] == [
        ("audio/001-client.flac", "client"),
        ("audio/002-provider-item_b.flac", "provider"),
    ]


def test_what_is_not_pcm_stays_as_it_is(tmp_path: Path) -> None:
    store = MemoryStore()
    export(store, record(store, _telephone().takes), tmp_path / "tape")
    assert (tmp_path / "tape/audio/001-client.ulaw").read_bytes() == b"\x7f\x7f\x7f" * 54 * 5


def test_silence_is_written_out(tmp_path: Path) -> None:
    store = MemoryStore()
    session = record(store, Script().open().append(bytes(48_000)).takes)
    export(store, session, tmp_path / "one")
    assert soundfile.info(tmp_path / "one/audio/001-client.flac").frames == 24_000
    second = MemoryStore()
    take_in(second, tmp_path / "one")
    assert _fault(second, session) is None
    document = tmp_path / "one/session.json"
    document.write_text(document.read_text().replace('"flac",', '"constant",', 1))
    with pytest.raises(RecorderError, match="form"):
        take_in(MemoryStore(), tmp_path / "one")


def test_a_tape_whose_recording_died(tmp_path: Path) -> None:
    store = MemoryStore()
    script = Script().open().append(tone(400)).speak("item_a", tone(300))
    session = record(store, script.takes, status=None)
    for run in store.runs():
        store.put_run(run._replace(beat_ns=0))
    export(store, session, tmp_path / "one")
    assert json.loads((tmp_path / "one/session.json").read_bytes())["status"] == "interrupted"
    second = MemoryStore()
    row, _ = take_in(second, tmp_path / "one")
    assert (row.status, row.events) == ("interrupted", len(script.takes))
    assert _fault(second, session) is None
    export(second, session, tmp_path / "two")
    assert _files(tmp_path / "one") == _files(tmp_path / "two")
    assert not take_in(store, tmp_path / "one").fresh


def test_a_tape_without_events(tmp_path: Path) -> None:
    store = MemoryStore()
    session = record(store, [])
    export(store, session, tmp_path / "one")
    assert take_in(MemoryStore(), tmp_path / "one").row.events == 0


def test_a_live_session_is_not_exported(tmp_path: Path) -> None:
    store = MemoryStore()
    session = record(store, Script().open().takes, status=None)
    now = SystemClock().wall_ns()
    for run in store.runs():
        store.put_run(run._replace(started_ns=now, beat_ns=now, ended_ns=None))
    with pytest.raises(ExportRefused, match="still being recorded"):
        export(store, session, tmp_path / "tape")
    assert not (tmp_path / "tape").exists()


class TestPlaces:
    """Where an export may go."""

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    def test_an_earlier_export_is_replaced(self, store: Store, tmp_path: Path) -> None:
        session = record(store, conversation())
        export(store, session, tmp_path / "tape")
        (tmp_path / "tape/audio/999-old.flac").write_bytes(b"left over")
        (tmp_path / "tape/events.jsonl").write_bytes(b"")
        export(store, session, tmp_path / "tape")
        export(store, session, tmp_path / "other")
        assert _files(tmp_path / "tape") == _files(tmp_path / "other")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tape"]

    def test_an_empty_folder_is_used(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "a/b").mkdir(parents=True)
        export(store, record(store, []), tmp_path / "a/b")
        assert (tmp_path / "a/b/session.json").exists()

    def test_another_session_is_kept(self, store: Store, tmp_path: Path) -> None:
        export(store, record(store, []), tmp_path / "tape")
        before = _files(tmp_path / "tape")
        with pytest.raises(ExportRefused, match="holds another session"):
            export(store, record(store, []), tmp_path / "tape")
        assert _files(tmp_path / "tape") == before

    @pytest.mark.parametrize("with_export", [False, True])
    def test_other_files_are_kept(self, store: Store, tmp_path: Path, with_export: bool) -> None:
        session = record(store, [])
        folder = tmp_path / "tape"
        if with_export:
            export(store, session, folder)
        folder.mkdir(exist_ok=True)
        (folder / "mine.txt").write_text("mine")
        with pytest.raises(ExportRefused, match=r"holds other files \(mine.txt\)"):
            export(store, session, folder)
        assert (folder / "mine.txt").read_text() == "mine"

    def test_a_file_is_kept(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "tape").write_text("mine")
        with pytest.raises(ExportRefused, match="is a file"):
            export(store, record(store, []), tmp_path / "tape")

    def test_nothing_is_left_of_an_export_that_fails(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = record(store, conversation())
        export(store, session, tmp_path / "tape")
        before = _files(tmp_path / "tape")

        def full(*_: object, **__: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(RecorderError, match="No space left on device"):
            export(store, session, tmp_path / "tape")
        assert _files(tmp_path / "tape") == before
        assert [path.name for path in tmp_path.iterdir()] == ["tape"]


_TEXT = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
    st.text('{}[]",:\\ \n\t\rtruefalsn0123eE+-.u'),
)


@given(
    body=_TEXT | st.binary(),
    type_=st.text(st.characters(exclude_categories=["Cs"])),
    places=st.lists(st.integers(0, 2**62), max_size=3),
)
def test_any_body_survives_its_line(body: str | bytes, type_: str, places: list[int]) -> None:
    text, raw = (body, None) if isinstance(body, str) else (None, body)
    row = EventRow("s", 7, 2**62, 3, "provider", "ws.text", type_, text, raw, bytes(32))
    refs = [AudioRef("s", 7, n, at, "base64", 1, at, 5) for n, at in enumerate(places)]
    line = event_line(row, refs)
    assert "\n" not in line
    assert isinstance(json.loads(line), dict)
    assert parse_line("s", line) == (row, refs)


def test_the_commands(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tapes.db'}"
    with closing(open_store(url, create=True)) as store:
        session = record(store, conversation())
    run = CliRunner()
    folder = str(tmp_path / "tape")
    done = run.invoke(export_command, ["--store", url, "last", folder], catch_exceptions=False)
    assert done.output.startswith(
        f"exported {session} to {folder}: {EVENTS} events, 2 audio segments"
    )
    for store_url, said in (
        (url, f"{session} is in the store already\n"),
        (f"{url}2", f"imported {session}: {EVENTS} events\n"),
    ):
        done = run.invoke(import_command, ["--store", store_url, folder], catch_exceptions=False)
        assert (done.exit_code, done.output) == (0, said)
    refused = run.invoke(import_command, ["--store", url, "--trial", "x", folder])
    assert "leave --format and --trial out" in str(refused.exception)
    missing = run.invoke(import_command, ["--store", f"{url}3", str(tmp_path)])
    assert "has no session.json" in str(missing.exception)
    assert not (tmp_path / "tapes.db3").exists()
