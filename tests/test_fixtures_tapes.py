"""The kept tapes: made again they are the same, and a store takes them in as they are."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from commandline import out, run

from recorder.providers import provider
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.base import Store
from recorder.verify import verify
from replay.digest import tape_digest
from replay.match.rulebook import Rulebook

SCRIPT = Path(__file__).parents[1] / "fixtures" / "make_tapes.py"
TAPES = SCRIPT.parent / "tapes"
NAMES = ("openai-typed", "openai-spoken")
CANONICAL = {
    "openai-typed": "41919845613efd0415ced260d60a1cb1a74f49c3e55ddbcaba6169ca89bfef3e",
    "openai-spoken": "1177599e7356a9d359e2f7def6591c1798457a8c165bb83a32f009d0756d6bbd",
}
"""Their canonical digests, as docs/digest.md defines them."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tapes", SCRIPT)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has imported every tape."""
    path = tmp_path_factory.mktemp("tapes") / "tapes.db"
    for name in NAMES:
        out(path, "import", str(TAPES / name))
    return path


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(str(path), create=False, readonly=True)) as store:
        yield store


def document(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TAPES / name / "session.json").read_text())
    return found


def types(store: Store, name: str) -> list[str]:
    return [event.type for event in Recording(store, document(name)["id"]).events()]


def test_they_are_what_the_script_makes(script: ModuleType, tmp_path: Path) -> None:
    script.make(tmp_path)
    assert script.differences(tmp_path) == []
    (tmp_path / "openai-typed" / "session.json").unlink()
    events = tmp_path / "openai-spoken" / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"Paris", b"Baris", 1))
    assert script.differences(tmp_path) == [
        "openai-spoken/events.jsonl differs",
        "openai-typed/session.json is made by nothing",
    ]


def test_nothing_else_is_kept_and_all_is_small() -> None:
    assert sorted(path.name for path in TAPES.iterdir()) == sorted(NAMES)
    files = [path for path in TAPES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 400_000


@pytest.mark.parametrize("name", NAMES)
def test_one_verifies_with_the_digest_in_its_document(store: Store, name: str) -> None:
    row = store.session(document(name)["id"])
    assert row
    verdict = verify(store, row)
    assert verdict.fault is None
    assert verdict.digest.hex() == document(name)["digest"]


@pytest.mark.parametrize("name", NAMES)
def test_one_comes_out_as_it_went_in(path: Path, tmp_path: Path, name: str) -> None:
    out(path, "export", document(name)["id"], str(tmp_path / name))
    files = {item.relative_to(TAPES) for item in (TAPES / name).rglob("*") if item.is_file()}
    assert {item.relative_to(tmp_path) for item in tmp_path.rglob("*") if item.is_file()} == files
    for file in files:
        assert (tmp_path / file).read_bytes() == (TAPES / file).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_its_canonical_digest_stays(store: Store, name: str) -> None:
    openai = provider("openai")
    events = Recording(store, document(name)["id"]).events()
    assert tape_digest(events, openai, Rulebook(openai.RULES)).digest == CANONICAL[name]


def test_the_typed_one_has_a_function_call(store: Store) -> None:
    said = types(store, "openai-typed")
    assert said.count("response.done") == 3
    assert "response.function_call_arguments.done" in said
    assert not Recording(store, document("openai-typed")["id"]).segments()


def test_the_spoken_one_has_audio_both_ways_and_a_reply_cut_short(store: Store) -> None:
    tape = Recording(store, document("openai-spoken")["id"])
    assert {segment.sender for segment in tape.segments()} == {"client", "provider"}
    said = types(store, "openai-spoken")
    assert said.count("input_audio_buffer.speech_stopped") == 2
    assert "conversation.item.truncated" in said
    done = [json.loads(event.body) for event in tape.events() if event.type == "response.done"]
    assert [event["response"]["status"] for event in done] == ["cancelled", "completed"]


def test_a_changed_one_is_refused(path: Path, tmp_path: Path) -> None:
    shutil.copytree(TAPES / "openai-typed", tmp_path / "changed")
    events = tmp_path / "changed" / "events.jsonl"
    events.write_bytes(events.read_bytes().replace(b"Good morning", b"Good evening", 1))
    refused = run(tmp_path / "other.db", "import", str(tmp_path / "changed"))
    assert refused.code == 2
    assert "events.jsonl" in refused.error
