"""The tapes of a whole run: which are named by tests, and what is told of them at its end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from recorder.errors import RecorderError
from replay.pytest_plugin import texts
from replay.pytest_plugin.names import folder_name
from replay.pytest_plugin.settings import max_age_days, tape_mark
from replay.pytest_plugin.taped import folder_of, tape_dir

_OUTPUT = "replay_tapes"


class TapeShelf:
    """Notes which tapes the collected tests name. Workers of xdist hand their names to the process
    that controls them, which alone tells what it finds."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: set[str] = set()

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        mark = tape_mark(item)
        if mark:
            self._names.add(mark.name)

    def pytest_sessionfinish(self) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = sorted(self._names)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        """A worker of xdist has ended."""
        self._names.update(getattr(node, "workeroutput", {}).get(_OUTPUT, ()))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = list(self._expired())
        if self._config.getoption("tape_orphans"):
            lines += self._orphans()
        if lines:
            terminalreporter.section("tapes")
            for line in lines:
                terminalreporter.line(line)

    def _expired(self) -> Iterable[str]:
        from recorder.capture.importers.folder import read_document
        from recorder.clock import SystemClock
        from replay.kept import is_tape

        limit, now = max_age_days(self._config), SystemClock().wall_ns()
        for name in sorted(self._names) if limit is not None else ():
            folder = folder_of(self._config, name)
            if not is_tape(folder):
                continue
            try:
                wall_ns = read_document(folder).row.wall_ns
            except RecorderError:
                continue  # the test that names it has failed for this
            text = texts.expired(name, folder, wall_ns, now, limit or 0)
            if text:
                yield f"expired: {text}"

    def _orphans(self) -> Iterable[str]:
        from replay.kept import tapes_in

        named = {folder_name(name) for name in self._names}
        found = [each for each in tapes_in(tape_dir(self._config)) if each.name not in named]
        if not found:
            return ["no orphans: every tape is named by a test"]
        return [f"orphaned: no test names {_shown(folder)}: delete it" for folder in found]


def _shown(folder: Path) -> str:
    return os.path.relpath(folder)
