"""The secrets of a store: its marker key stays, the environment's values are known."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from recorder.capture.secrets import MARKER_KEY, store_secrets
from recorder.errors import StoreError
from recorder.redact import marker
from recorder.store import open_store
from recorder.store.memory import MemoryStore


def test_the_key_of_a_store_is_made_once(tmp_path: Path) -> None:
    path = str(tmp_path / "tapes.db")
    with closing(open_store(path, create=True)) as store:
        first = store_secrets(store, {})
    with closing(open_store(path, create=False)) as store:
        again = store_secrets(store, {"A_TOKEN": "horse-battery-staple"})
    assert len(first.key) == 32
    assert again.key == first.key
    assert marker(first, "a secret") == marker(again, "a secret")
    assert first.known == ()
    assert again.known == ("horse-battery-staple",)


def test_every_store_has_its_own() -> None:
    assert store_secrets(MemoryStore(), {}).key != store_secrets(MemoryStore(), {}).key


def test_of_two_processes_the_first_decides() -> None:
    class Raced(MemoryStore):
        def put_setting(self, name: str, value: bytes) -> None:
            super().put_setting(MARKER_KEY, b"the other's")
            super().put_setting(name, value)

    assert store_secrets(Raced(), {}).key == b"the other's"


def test_a_store_that_keeps_nothing_is_refused() -> None:
    class Forgetful(MemoryStore):
        def put_setting(self, name: str, value: bytes) -> None:
            return

    with pytest.raises(StoreError, match="marker"):
        store_secrets(Forgetful(), {})
