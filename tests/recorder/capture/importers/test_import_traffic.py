"""Real traffic, where `RECORDER_TRAFFIC` names a folder of it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from tapes import SECRETS

from recorder.capture.importers import FORMATS, frames
from recorder.capture.importers.folder import read_document, take_in_folder
from recorder.capture.importers.intake import take_in
from recorder.capture.importers.rawjson import members
from recorder.capture.importers.source import detect, open_source
from recorder.clock import SystemClock
from recorder.export import export_session
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify

_FOLDER = os.environ.get("RECORDER_TRAFFIC")
_FILES = sorted(Path(_FOLDER, "openai").glob("*.json*")) if _FOLDER else []


@pytest.mark.skipif(not _FILES, reason="RECORDER_TRAFFIC names no folder with openai/*.json*")
@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_it_comes_in_and_goes_out_unchanged(path: Path, tmp_path: Path) -> None:
    clock, openai = SystemClock(), PROVIDERS["openai"]
    source = open_source(path)
    format_ = detect(source)
    with closing(open_store(str(tmp_path / "one.db"), create=True)) as store:
        conversations = FORMATS[format_].read(source, openai)
        [row] = take_in(store, clock, SECRETS, openai, "traffic", conversations)
        assert verify(store, row).fault is None
        if format_ == frames.NAME:
            written = [members(line)["event"] for line in source.data.decode().splitlines()]
            events = Recording(store, row.id).events()
            assert [event.body.decode() for event in events] == written
        export_session(store, row, tmp_path / "one", clock.wall_ns())
    with closing(open_store(str(tmp_path / "two.db"), create=True)) as store:
        folder = tmp_path / "one"
        again, _ = take_in_folder(store, clock, SECRETS, folder, read_document(folder))
        assert (again.digest, verify(store, again).fault) == (row.digest, None)
        export_session(store, again, tmp_path / "two", clock.wall_ns())
    first, second = (
        {each.relative_to(top): each.read_bytes() for each in top.rglob("*") if each.is_file()}
        for top in (tmp_path / "one", tmp_path / "two")
    )
    assert first == second
