"""An exported tape comes back as the same tape, or is refused with the place that changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tapes import RATE, SECRETS, Script, Take, conversation, record, session_object, tone

from recorder.capture.encode import SecretLeft
from recorder.capture.importers.folder import TakenIn, read_document, take_in_folder
from recorder.capture.importers.folder_lines import event_line, parse_line
from recorder.chain import SCHEME, genesis, link
from recorder.clock import SystemClock
from recorder.commands.export import command as export_command
from recorder.commands.import_ import command as import_command
from recorder.errors import ImportFailed, RecorderError
from recorder.events import Event
from recorder.export import Exported, ExportRefused, export_session
from recorder.recording import Recording, current
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import AudioRef, Batch, ChannelRow, EventRow, SessionRow, Store
from recorder.store.memory import MemoryStore
from recorder.verify import verify

EVENTS = len(conversation())
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


def _export(store: Store, session: str, folder: Path) -> Exported:
    row = store.session(session)
    assert row is not None
    return export_session(store, row, folder, SystemClock().wall_ns())


def _import(store: Store, folder: Path, secrets: Secrets = SECRETS) -> TakenIn:
    return take_in_folder(store, SystemClock(), secrets, folder, read_document(folder))


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
    _export(first, session, tmp_path / "one")
    with closing(open_store(str(tmp_path / "two.db"), create=True)) as second:
        row, fresh = _import(second, tmp_path / "one", Secrets(b"another key"))
        assert fresh
        assert _fault(second, session) is None
        original = first.session(session)
        assert original is not None
        assert row._replace(run="") == original._replace(run="")
        assert list(Recording(second, session).events()) == list(Recording(first, session).events())
        assert list(second.refs(session)) == list(first.refs(session))
        assert list(second.events(session)) == list(first.events(session))
        _export(second, session, tmp_path / "two")
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_the_folder_is_for_reading(tmp_path: Path) -> None:
    store = MemoryStore()
    done = _export(store, record(store, conversation()), tmp_path / "tape")
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
    _export(store, record(store, _telephone().takes), tmp_path / "tape")
    assert (tmp_path / "tape/audio/001-client.ulaw").read_bytes() == b"\x7f\x7f\x7f" * 54 * 5


def test_a_tape_whose_recording_died(tmp_path: Path) -> None:
    store = MemoryStore()
    script = Script().open().append(tone(400)).speak("item_a", tone(300))
    session = record(store, script.takes, status=None)
    for run in store.runs():
        store.put_run(run._replace(beat_ns=0))
    _export(store, session, tmp_path / "one")
    assert json.loads((tmp_path / "one/session.json").read_bytes())["status"] == "interrupted"
    second = MemoryStore()
    row, _ = _import(second, tmp_path / "one")
    assert (row.status, row.events) == ("interrupted", len(script.takes))
    assert _fault(second, session) is None
    _export(second, session, tmp_path / "two")
    assert _files(tmp_path / "one") == _files(tmp_path / "two")
    assert not _import(store, tmp_path / "one").fresh


def test_a_tape_without_events(tmp_path: Path) -> None:
    store = MemoryStore()
    session = record(store, [])
    _export(store, session, tmp_path / "one")
    assert _import(MemoryStore(), tmp_path / "one").row.events == 0


def test_a_live_session_is_not_exported(tmp_path: Path) -> None:
    store = MemoryStore()
    session = record(store, Script().open().takes, status=None)
    now = SystemClock().wall_ns()
    for run in store.runs():
        store.put_run(run._replace(started_ns=now, beat_ns=now, ended_ns=None))
    with pytest.raises(ExportRefused, match="still being recorded"):
        _export(store, session, tmp_path / "tape")
    assert not (tmp_path / "tape").exists()


class TestPlaces:
    """Where an export may go."""

    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    def test_an_earlier_export_is_replaced(self, store: Store, tmp_path: Path) -> None:
        session = record(store, conversation())
        _export(store, session, tmp_path / "tape")
        (tmp_path / "tape/audio/999-old.flac").write_bytes(b"left over")
        (tmp_path / "tape/events.jsonl").write_bytes(b"")
        _export(store, session, tmp_path / "tape")
        _export(store, session, tmp_path / "other")
        assert _files(tmp_path / "tape") == _files(tmp_path / "other")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "tape"]

    def test_an_empty_folder_is_used(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "a/b").mkdir(parents=True)
        _export(store, record(store, []), tmp_path / "a/b")
        assert (tmp_path / "a/b/session.json").exists()

    def test_another_session_is_kept(self, store: Store, tmp_path: Path) -> None:
        _export(store, record(store, []), tmp_path / "tape")
        before = _files(tmp_path / "tape")
        with pytest.raises(ExportRefused, match="holds another session"):
            _export(store, record(store, []), tmp_path / "tape")
        assert _files(tmp_path / "tape") == before

    @pytest.mark.parametrize("with_export", [False, True])
    def test_other_files_are_kept(self, store: Store, tmp_path: Path, with_export: bool) -> None:
        session = record(store, [])
        folder = tmp_path / "tape"
        if with_export:
            _export(store, session, folder)
        folder.mkdir(exist_ok=True)
        (folder / "mine.txt").write_text("mine")
        with pytest.raises(ExportRefused, match=r"holds other files \(mine.txt\)"):
            _export(store, session, folder)
        assert (folder / "mine.txt").read_text() == "mine"

    def test_a_file_is_kept(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "tape").write_text("mine")
        with pytest.raises(ExportRefused, match="is a file"):
            _export(store, record(store, []), tmp_path / "tape")

    def test_nothing_is_left_of_an_export_that_fails(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = record(store, conversation())
        _export(store, session, tmp_path / "tape")
        before = _files(tmp_path / "tape")

        def full(*_: object, **__: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(RecorderError, match="No space left on device"):
            _export(store, session, tmp_path / "tape")
        assert _files(tmp_path / "tape") == before
        assert [path.name for path in tmp_path.iterdir()] == ["tape"]


def _edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return edit


def _lines(change: Callable[[list[bytes]], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
        change(lines)
        (folder / "events.jsonl").write_bytes(b"".join(lines))

    return edit


def _swap(lines: list[bytes]) -> None:
    lines[4], lines[5] = lines[5], lines[4]


def _cut(lines: list[bytes]) -> None:
    lines[-1] = lines[-1][:40]


def _spoil_audio(folder: Path) -> None:
    path = folder / "audio/002-provider-item_b.flac"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _link(folder: Path) -> None:
    (folder / "events.jsonl").rename(folder.parent / "elsewhere")
    (folder / "events.jsonl").symlink_to(folder.parent / "elsewhere")


def _pipe(folder: Path) -> None:
    (folder / "events.jsonl").unlink()
    os.mkfifo(folder / "events.jsonl")


TAMPERINGS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a body": (
        _edit("events.jsonl", '"Good"', '"Best"'),
        r"event \d+ \(provider response.output_audio_transcript.delta\) differs",
    ),
    "a time": (_edit("events.jsonl", '"seq":3,"at_ns":2', '"seq":3,"at_ns":3'), "event 3 "),
    "a sender": (_edit("events.jsonl", '"sender":"client"', '"sender":"provider"'), "event 1 "),
    "white space": (
        _edit("events.jsonl", '"instructions": "Short."', '"instructions":"Short."'),
        r"line 4: event 4 ",
    ),
    "a lost line": (_lines(lambda lines: lines.__delitem__(6)), "event 7 is lost or moved"),
    "a lost end": (_lines(lambda lines: lines.__delitem__(-1)), f"event {EVENTS} is lost"),
    "an added line": (
        _lines(lambda lines: lines.append(lines[-1])),
        f"event {EVENTS + 1} is lost or moved",
    ),
    "an order": (_lines(_swap), "event 5 is lost or moved: event 6 stands there"),
    "a cut line": (_lines(_cut), f"line {EVENTS}: event {EVENTS} cannot be read"),
    "a start": (_edit("session.json", '"wall_ns": 179', '"wall_ns": 178'), "event 1 .*start, diff"),
    "a channel": (
        _edit("session.json", '"channel": 1,\n      "kind"', '"channel": 2,\n      "kind"'),
        "event 1 is on channel 1",
    ),
    "a digest": (_edit("session.json", '"digest": "', '"digest": "00'), "its digest is not that"),
    "audio": (_spoil_audio, "segment 2 .*(changed|not as it was recorded)"),
    "a segment": (_edit("session.json", '"number": 2', '"number": 3'), "of segment 3 is not"),
    "a path": (_edit("session.json", "audio/001-client.flac", "../../secret"), "as it must be"),
    "a newer form": (_edit("session.json", "tape/1", "tape/2"), "this program reads"),
    "a scheme": (_edit("session.json", "sha256/2", "sha512/9"), "'sha512/9'; .* sha256/1 and sha"),
    "another scheme": (_edit("session.json", "sha256/2", "sha256/1"), "event 1 .* differs"),
    "an id": (_edit("session.json", '"id": "0', '"id": "../'), "not that of a session"),
    "a file": (lambda folder: (folder / "audio/001-client.flac").unlink(), "No such file"),
    "a link": (_link, "cannot be read"),
    "a pipe": (_pipe, "not a plain file"),
    "no document": (lambda folder: (folder / "session.json").unlink(), "has no session.json"),
    "not JSON": (_edit("session.json", "{", ""), "session.json: "),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = MemoryStore()
    folder = tmp_path_factory.mktemp("export") / "tape"
    done = _export(store, record(store, conversation()), folder)
    assert done.events == EVENTS
    return folder


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_changed_is_named_and_nothing_is_stored(
    what: str, exported: Path, tmp_path: Path
) -> None:
    change, message = TAMPERINGS[what]
    shutil.copytree(exported, tmp_path / "tape")
    change(tmp_path / "tape")
    store = MemoryStore()
    with pytest.raises(ImportFailed, match=message) as refused:
        _import(store, tmp_path / "tape")
    assert "\n" not in str(refused.value)
    assert store.sessions() == []


def test_line_ends_of_another_system_do_no_harm(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "tape")
    for name in ("events.jsonl", "session.json"):
        path = tmp_path / "tape" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert _import(MemoryStore(), tmp_path / "tape").fresh


def test_a_session_that_is_there_is_not_stored_again(exported: Path) -> None:
    store = MemoryStore()
    assert _import(store, exported).fresh
    assert not _import(store, exported).fresh
    assert len(store.sessions()) == 1


def test_the_same_id_with_other_content_is_refused(exported: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    _import(store, exported)
    shutil.copytree(exported, tmp_path / "tape")
    _edit("session.json", '"digest": "', '"digest": "00')(tmp_path / "tape")
    with pytest.raises(ImportFailed, match="with other content"):
        _import(store, tmp_path / "tape")


def test_a_secret_in_a_folder_is_not_stored(tmp_path: Path) -> None:
    """A tape that somebody made without redaction."""
    key = "sk-proj-4XmR9vTq2LwZ7sKd1BnY"
    session, wall_ns = "01m88b4vfrjehr6we71z4tvtsa", 1
    event = Event(session, 1, 0, 1, "client", "ws.text", "x", f'{{"key":"{key}"}}'.encode())
    digest = link(genesis(SCHEME, session, "openai", wall_ns), event)
    row = SessionRow(session, "t", "openai", wall_ns, SCHEME, "r", None, None, None, "complete")
    store = MemoryStore()
    store.commit(
        Batch(
            sessions=[row._replace(ended_ns=0, events=1, digest=digest)],
            channels=[ChannelRow(session, 1, "ws", "/")],
            events=[EventRow(*event[:7], event.body.decode(), None, digest)],
        )
    )
    _export(store, session, tmp_path / "tape")
    with pytest.raises(SecretLeft, match=r"event 1 has a secret at \$\.key") as refused:
        _import(MemoryStore(), tmp_path / "tape")
    assert key not in str(refused.value)


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
