"""The pytest plug-in: tapes for tests, see docs/pytest.md."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from replay.pytest_plugin.fixtures import (
    PASSED,
    SHELF,
    TAPED,
    _tape,
    tape,
    tape_env,
    tape_report,
    tape_server,
)
from replay.pytest_plugin.modes import in_ci
from replay.pytest_plugin.settings import USAGE, add_options, check_manner, max_age_days, mode_of
from replay.pytest_plugin.shelf import TapeShelf

__all__ = ["_tape", "tape", "tape_env", "tape_report", "tape_server"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse settings that cannot be."""
    config.addinivalue_line("markers", f"tape: run against a recorded conversation: {USAGE}")
    max_age_days(config)
    check_manner(config)
    if mode_of(config) == "record" and in_ci(os.environ):
        raise pytest.UsageError(
            "--tape-mode record: a CI run (CI is set) never records; record on your machine"
        )
    config.pluginmanager.register(TapeShelf(config), SHELF)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """For a test that is marked `xfail`, judge its replay as a part of it: only so is a replay that
    fails what is expected, and `strict` sees it."""
    result = yield
    taped = item.stash.get(TAPED, None)
    failure = taped.verdict() if taped and item.get_closest_marker("xfail") else None
    if failure:
        pytest.fail(failure, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how a test went, and tell of its tape beneath a failure of its own."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed and not hasattr(report, "wasxfail")
        taped = item.stash.get(TAPED, None)
        if taped and report.failed:
            report.sections.append((f"tape {taped.name}", taped.section()))
    return report
