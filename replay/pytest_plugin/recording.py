"""Recording a tape: `record proxy` between the test and the live service, and its store."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from recorder.clock import SystemClock
from recorder.counting import counted
from recorder.errors import RecorderError
from recorder.export import export_session
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from replay.kept import Kept, is_rest, is_tape, rest_of

_END_S = 30.0


class NothingRecorded(RecorderError):
    """A test did not hold the one conversation that a tape is of."""


class Recording:
    """`record proxy` with a store of its own in `folder`, from `start` to `stop`."""

    def __init__(self, folder: Path, trial: str, options: Sequence[str]) -> None:
        self.url = ""
        self.store = folder / "conversations.db"
        self._folder, self._trial, self._options = folder, trial, options
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Accept connections; RecorderError with what the proxy says if it cannot."""
        words = ("--store", str(self.store), "--trial", self._trial, "--listen", "127.0.0.1:0")
        with open(self._errors, "w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "recorder", "proxy", *words, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is for the test, which then stops it
            )
        assert self._process.stdout
        word, _, self.url = self._process.stdout.readline().strip().partition(" ")
        if word != "ready":
            self.stop()
            said = self._errors.read_text().strip()
            raise RecorderError(said.removeprefix("record: ") or "`record proxy` did not start")

    @property
    def _errors(self) -> Path:
        return self._folder / "proxy.log"

    def stop(self) -> None:
        """End the proxy when all is stored."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @contextmanager
    def opened(self) -> Iterator[Kept]:
        """What was recorded so far; NothingRecorded if that is not one conversation."""
        if not self.store.exists():
            raise NothingRecorded(f"nothing came to {self.url}")
        with closing(open_store(str(self.store), create=False, readonly=True)) as store:
            yield _conversation(store, self.url)

    def keep(self, folder: Path) -> str:
        """Write the tape as `folder`, which must not be there; what was written, in words."""
        if is_tape(folder):
            raise NothingRecorded(f"{folder} is there already, and is kept as it is")
        wall_ns = SystemClock().wall_ns()
        with self.opened() as kept:
            if kept.row.status != "complete":
                raise NothingRecorded(
                    f"the recording is {kept.row.status}: see {self._errors}, and record it again"
                )
            beside = kept.beside or []
            rest = rest_of(folder)
            if is_tape(rest):
                shutil.rmtree(rest)  # of a tape that was deleted
            for row in beside:
                export_session(kept.store, row, rest, wall_ns)
            done = export_session(kept.store, kept.row, folder, wall_ns)
        also = f", and {rest.name} with its REST traffic" if beside else ""
        return f"recorded {os.path.relpath(folder)}: {counted(done.events, 'event')}{also}"


def _conversation(store: Store, url: str) -> Kept:
    """The one conversation of a store, or its REST traffic if there is no other."""
    rows = store.sessions()
    control = [row for row in rows if row.external_id is None and is_rest(store, row)]
    others = [row for row in rows if row not in control]
    if not rows:
        raise NothingRecorded(f"nothing came to {url}: the application has to use that address")
    if len(others) > 1:
        raise NothingRecorded(
            f"the test held {len(others)} conversations ({_named(others)}), and a tape is of one: "
            "make a test of each"
        )
    if others:
        return Kept(store, others[0], _beside(others[0], control))
    if len(control) > 1:
        raise NothingRecorded(
            f"the test asked {len(control)} providers ({_named(control)}), and a tape is of one: "
            "make a test of each"
        )
    return Kept(store, control[0], [])


def _beside(row: SessionRow, control: Sequence[SessionRow]) -> list[SessionRow]:
    return [other for other in control if other.provider == row.provider]


def _named(rows: Sequence[SessionRow]) -> str:
    return ", ".join(f"{row.provider} {row.external_id or row.id}" for row in rows)
