"""A folder that was changed is refused with the place; what is there is not stored again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from exporting import EVENTS, export, take_in
from tapes import conversation, record

from recorder.capture.encode import SecretLeft
from recorder.chain import SCHEME, genesis, link
from recorder.errors import ImportFailed
from recorder.events import Event
from recorder.store.base import Batch, ChannelRow, EventRow, SessionRow
from recorder.store.memory import MemoryStore


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
    done = export(store, record(store, conversation()), folder)
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
        take_in(store, tmp_path / "tape")
    assert "\n" not in str(refused.value)
    assert store.sessions() == []


def test_line_ends_of_another_system_do_no_harm(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "tape")
    for name in ("events.jsonl", "session.json"):
        path = tmp_path / "tape" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert take_in(MemoryStore(), tmp_path / "tape").fresh


def test_a_session_that_is_there_is_not_stored_again(exported: Path) -> None:
    store = MemoryStore()
    assert take_in(store, exported).fresh
    assert not take_in(store, exported).fresh
    assert len(store.sessions()) == 1


def test_the_same_id_with_other_content_is_refused(exported: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    take_in(store, exported)
    shutil.copytree(exported, tmp_path / "tape")
    _edit("session.json", '"digest": "', '"digest": "00')(tmp_path / "tape")
    with pytest.raises(ImportFailed, match="with other content"):
        take_in(store, tmp_path / "tape")


def test_a_secret_in_a_folder_is_not_stored(tmp_path: Path) -> None:
    """A tape that somebody made without redaction."""
    key = "sk-proj-4XmR9vTq2LwZ7sKd1BnY"
    session, wall_ns = "01m88b4vfrjehr6we71z4tvtsa", 1
    event = Event(session, 1, 0, 1, "client", "ws.text", "x", f'{{"key":"{key}"}}'.encode())
    digest = link(genesis(SCHEME, session, "openai", wall_ns), *event[1:])
    row = SessionRow(session, "t", "openai", wall_ns, SCHEME, "r", None, None, None, "complete")
    store = MemoryStore()
    store.commit(
        Batch(
            sessions=[row._replace(ended_ns=0, events=1, digest=digest)],
            channels=[ChannelRow(session, 1, "ws", "/")],
            events=[EventRow(*event[:7], event.body.decode(), None, digest)],
        )
    )
    export(store, session, tmp_path / "tape")
    with pytest.raises(SecretLeft, match=r"event 1 has a secret at \$\.key") as refused:
        take_in(MemoryStore(), tmp_path / "tape")
    assert key not in str(refused.value)
