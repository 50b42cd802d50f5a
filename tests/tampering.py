"""Change a store's file behind its back, and see what `verify` says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from recorder.clock import SystemClock
from recorder.recording import current
from recorder.store import open_store
from recorder.store.base import Store
from recorder.store.tape_views import TAPE_VIEWS
from recorder.verify import Fault, Verdict, verify


class Tampering:
    """A store's file whose rules are off, and what is found in it after changes."""

    def __init__(self, path: Path, session: str) -> None:
        self.path, self.session = path, session
        self._verdict: Verdict | None = None

    def run(self, *statements: str) -> None:
        """Run SQL with `:s` for the session, past every rule of the store.

        The tape's views are tables then, which hold the same: each row stands on its own.
        """
        self._verdict = None
        with closing(sqlite3.connect(self.path)) as db, db:
            _unruled(db)
            views = db.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
            for name in TAPE_VIEWS.keys() & {name for (name,) in views}:
                db.execute(f"CREATE TABLE spare AS SELECT * FROM {name}")
                db.execute(f"DROP VIEW {name}")
                db.execute(f"ALTER TABLE spare RENAME TO {name}")
            for statement in statements:
                assert db.execute(statement, {"s": self.session}).rowcount, statement

    def run_within(self, *statements: str) -> None:
        """Run SQL on the tables `tape_…` themselves; `:s` is the number of the session."""
        self._verdict = None
        with closing(sqlite3.connect(self.path)) as db, db:
            _unruled(db)
            found = "SELECT number FROM session WHERE id = ?"
            (number,) = db.execute(found, (self.session,)).fetchone()
            for statement in statements:
                assert db.execute(statement, {"s": number}).rowcount, statement

    def verdict(self) -> Verdict:
        """What `verify` says of the file as it is after the last change."""
        if self._verdict is None:
            with closing(open_store(str(self.path), create=False, readonly=True)) as store:
                self._verdict = verdict_of(store, self.session)
        return self._verdict

    def fault(self) -> Fault:
        found = self.verdict().fault
        assert found is not None
        return found


def _unruled(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA ignore_check_constraints = ON")
    db.execute("PRAGMA legacy_alter_table = ON")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")  # all of it at once: a commit for each rule takes most of the time
    triggers = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        db.execute(f"DROP TRIGGER {name}")


def verdict_of(store: Store, session: str) -> Verdict:
    row = store.session(session)
    assert row is not None
    return verify(store, current(store, [row], SystemClock().wall_ns())[0])
