"""A small trial on a store in a file, which tests of different rooms read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from small_trial import fill

    from recorder.store import open_store

    path = tmp_path_factory.mktemp("trial") / "tapes.db"
    with closing(open_store(str(path), create=True)) as store:
        fill(store)
    return path
