"""The tapes of a whole run: which are named by tests, and what is told of them at its end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from recorder.errors import RecorderError
from replay.pytest_plugin import texts
from replay.pytest_plugin.names import folder_name
from replay.pytest_plugin.settings import max_age_days, tape_mark
from replay.pytest_plugin.taped import folder_of, tape_dir

_OUTPUT = "replay_tapes"
_RULES = "replay_rules"


class TapeShelf:
    """Notes which tapes the collected tests name, and which rules held in a replay. Workers of
    xdist hand theirs to the process that controls them, which alone tells what it finds."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._names: set[str] = set()
        self._held: dict[str, bool] = {}

    def note(self, rules: Mapping[str, bool]) -> None:
        """Take from a replay that was complete whether each rule held in it."""
        for rule, held in rules.items():
            self._held[rule] = held or self._held.get(rule, False)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        mark = tape_mark(item)
        if mark:
            self._names.add(mark.name)

    def pytest_sessionfinish(self) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT], output[_RULES] = sorted(self._names), self._held

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        """A worker of xdist has ended."""
        output = getattr(node, "workeroutput", {})
        self._names.update(output.get(_OUTPUT, ()))
        self.note(output.get(_RULES, {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = list(self._expired())
        idle = sorted(rule for rule, held in self._held.items() if not held)
        lines += [f"rule never applied: {rule}" for rule in idle]
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
