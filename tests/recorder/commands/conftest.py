"""A store that the tests of the commands read."""

from __future__ import annotations

from contextlib import closing

import pytest
from commandline import RAW, Kept
from tapes import WALL_NS, conversation, record

from recorder.store import open_store


@pytest.fixture(scope="package")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    path = tmp_path_factory.mktemp("kept") / "tapes.db"
    day = 86_400_000_000_000
    with closing(open_store(str(path), create=True)) as store:
        spoken = record(store, conversation(interrupted=True), trial="first-try")
        raw = record(store, RAW, trial="other", wall_ns=WALL_NS + day, origin="import")
        left = record(store, conversation()[:40], wall_ns=WALL_NS + 2 * day, status=None)
    return Kept(path, spoken, raw, left)
