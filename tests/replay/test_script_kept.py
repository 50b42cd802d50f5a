"""A tape that was exported, committed and imported is played by the same gates."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from replaying import BOOK, OPENAI, script
from tapes import SECRETS, Take, conversation, record

from recorder.capture.importers.folder import read_document, take_in_folder
from recorder.clock import SystemClock
from recorder.export import export_session
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.memory import MemoryStore
from replay.script import read_script


@pytest.mark.parametrize("takes", [conversation(), conversation(interrupted=True)])
def test_frames_order_and_gates_come_back_as_they_were(takes: list[Take], tmp_path: Path) -> None:
    first = MemoryStore()
    row = first.session(record(first, takes))
    assert row
    export_session(first, row, tmp_path / "tape", row.wall_ns)
    with closing(open_store(str(tmp_path / "tapes.db"), create=True)) as second:
        document = read_document(tmp_path / "tape")
        take_in_folder(second, SystemClock(), SECRETS, tmp_path / "tape", document)
        kept = read_script(Recording(second, row.id).events(), OPENAI, BOOK)
    assert kept.sockets == script(takes).sockets
    assert kept.minted == script(takes).minted
    assert len({step.after for step in kept.sockets[0].planned}) > 2, "there are gates to keep"
