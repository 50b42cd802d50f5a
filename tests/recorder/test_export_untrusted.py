"""A folder from elsewhere: whatever stands in it, it is taken in as it was, or refused."""

from __future__ import annotations

import ast
import json
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from exporting import take_in
from hypothesis import given, settings
from hypothesis import strategies as st
from tapes import Script, conversation, record, tone
from thoroughness import examples

from recorder.capture.encode import SecretLeft
from recorder.errors import RecorderError
from recorder.events import Event
from recorder.export import export_session
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store.base import Store
from recorder.store.memory import MemoryStore
from recorder.verify import verify

ROOT = Path(__file__).parents[2]
WORD = "horse-battery-staple"


def _export(takes: Script, folder: Path) -> None:
    store = MemoryStore()
    row = store.session(record(store, takes.close().takes))
    assert row
    export_session(store, row, folder, row.wall_ns)


@pytest.mark.parametrize(
    "item", ["../../etc/passwd", "/etc/passwd", "a\\b", "con", "\0", "x" * 999]
)
def test_no_name_of_a_conversation_leads_out_of_the_folder(item: str, tmp_path: Path) -> None:
    _export(Script().open().speak(item, tone(100)), tmp_path / "tape")
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    (sound,) = names - {"tape/session.json", "tape/events.jsonl"}
    assert re.fullmatch(r"tape/audio/001-provider[a-zA-Z0-9_.-]{0,100}\.flac", sound)
    assert take_in(MemoryStore(), tmp_path / "tape").fresh


def _runs_data(path: Path) -> bool:
    """Whether a module can make code of what it reads."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            names = {(module or alias.name).split(".")[0] for alias in node.names}
            if names & {"pickle", "marshal", "shelve", "yaml", "code"}:
                return True
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("eval", "exec", "compile"):
            return True
    return False


def test_nothing_that_reads_a_tape_can_run_it() -> None:
    """Pickles go from the recorder to its own writer process only."""
    modules = [path for name in ("recorder", "replay") for path in (ROOT / name).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in modules if _runs_data(path)}
    assert found == {"recorder/capture/framing.py"}


def test_a_value_of_the_environment_is_refused_with_its_place(tmp_path: Path) -> None:
    """Wherever it stands; what is in the store already stays as it is."""
    store = MemoryStore()
    kept = record(store, conversation())
    before = list(Recording(store, kept).events())
    message = {"type": "message", "notes": [{}, {"text": f"the word is {WORD}, ok"}]}
    _export(Script().open().client("conversation.item.create", item=message), tmp_path / "tape")
    with pytest.raises(SecretLeft, match="event 3 has a secret at") as refused:
        take_in(store, tmp_path / "tape", Secrets(b"key", (WORD,)))
    assert "$.item.notes[1].text" in str(refused.value)
    assert WORD not in str(refused.value)
    assert [row.id for row in store.sessions()] == [kept]
    assert list(Recording(store, kept).events()) == before


class Damage(NamedTuple):
    """Bytes of a file that are replaced by others."""

    file: str
    at: float  # a share of its length
    length: int
    put: bytes


ODD = [b"{", b"}", b'"', b"\n", b"0", b"-", b"null", b"[" * 5_000, b"9" * 5_000]
DAMAGES = st.lists(
    st.builds(
        Damage,
        st.sampled_from(["events.jsonl", "session.json"]),
        st.floats(0, 1),
        st.integers(0, 40),
        st.binary(max_size=12) | st.sampled_from(ODD),
    ),
    min_size=1,
    max_size=3,
)


@cache
def _folder() -> tuple[TemporaryDirectory[str], list[Event]]:
    place = TemporaryDirectory()
    store = MemoryStore()
    row = store.session(record(store, conversation(interrupted=True)))
    assert row
    export_session(store, row, Path(place.name) / "tape", row.wall_ns)
    return place, list(Recording(store, row.id).events())


def _refusal(store: Store, folder: Path) -> str | None:
    try:
        take_in(store, folder)
    except RecorderError as error:
        return str(error)
    return None


@settings(max_examples=examples(60), deadline=None)
@given(DAMAGES)
def test_a_damaged_folder_is_refused_in_one_line_or_holds_the_same_events(
    damages: list[Damage],
) -> None:
    """Line ends, and facts that no digest covers, may be others."""
    place, events = _folder()
    with TemporaryDirectory() as other:
        folder = Path(other) / "tape"
        shutil.copytree(Path(place.name) / "tape", folder)
        for damage in damages:
            data = (folder / damage.file).read_bytes()
            at = int(len(data) * damage.at)
            changed = data[:at] + damage.put + data[at + damage.length :]
            (folder / damage.file).write_bytes(changed)
        store = MemoryStore()
        refusal = _refusal(store, folder)
    if refusal is not None:
        assert "\n" not in refusal
        assert store.sessions() == []
        return
    (row,) = store.sessions()
    assert list(Recording(store, row.id).events()) == events
    assert verify(store, row).fault is None


def test_the_fuzzed_folder_is_a_good_one() -> None:
    place, events = _folder()
    store = MemoryStore()
    assert take_in(store, Path(place.name) / "tape").fresh
    assert len(json.loads((Path(place.name) / "tape" / "session.json").read_bytes())) > 5
    assert list(Recording(store, events[0].session).events()) == events
