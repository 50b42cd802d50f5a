"""Change a store's file behind its back, and see what `verify` says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from recorder.clock import SystemClock
from recorder.recording import current
from recorder.store import open_store
from recorder.store.base import Store
from recorder.verify import Fault, Verdict, verify


class Tampering:
    """A store's file whose rules are off, and what is found in it after changes."""

    def __init__(self, path: Path, session: str) -> None:
        self.path, self.session = path, session

    def run(self, *statements: str) -> None:
        """Run SQL with `:s` for the session, past every rule of the store."""
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("PRAGMA ignore_check_constraints = ON")
            triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert db.execute(statement, {"s": self.session}).rowcount, statement

    def verdict(self) -> Verdict:
        with closing(open_store(str(self.path), create=False, readonly=True)) as store:
            return verdict_of(store, self.session)

    def fault(self) -> Fault:
        found = self.verdict().fault
        assert found is not None
        return found


def verdict_of(store: Store, session: str) -> Verdict:
    row = store.session(session)
    assert row is not None
    return verify(store, current(store, [row], SystemClock().wall_ns())[0])
