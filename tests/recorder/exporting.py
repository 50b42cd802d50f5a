"""Tapes out of a store as a folder, and back."""

from __future__ import annotations

from pathlib import Path

from tapes import SECRETS, conversation

from recorder.capture.importers.folder import TakenIn, read_document, take_in_folder
from recorder.clock import SystemClock
from recorder.export import Exported, export_session
from recorder.redact import Secrets
from recorder.store.base import Store

EVENTS = len(conversation())
"""How many events the tape of `tapes.conversation` has."""


def export(store: Store, session: str, folder: Path) -> Exported:
    """Write a session as a folder."""
    row = store.session(session)
    assert row is not None
    return export_session(store, row, folder, SystemClock().wall_ns())


def take_in(store: Store, folder: Path, secrets: Secrets = SECRETS) -> TakenIn:
    """Store a folder as a session."""
    return take_in_folder(store, SystemClock(), secrets, folder, read_document(folder))
