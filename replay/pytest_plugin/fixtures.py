"""The fixtures of the plug-in. What is heavy is imported when a test has a tape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replay.pytest_plugin.settings import USAGE, tape_mark
from replay.pytest_plugin.taped import Taped

if TYPE_CHECKING:
    from replay.pytest_plugin.view import TapeView
    from replay.report import Tally

TAPED = pytest.StashKey[Taped]()
PASSED = pytest.StashKey[bool]()
SHELF = "replay-tape-shelf"


@pytest.fixture(autouse=True)
def _tape(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taped | None]:
    """The tape of a test that is marked with one."""
    item: pytest.Item = request.node
    mark = tape_mark(item)
    if mark is None:
        yield None
        return

    def scratch() -> Path:
        return tmp_path_factory.mktemp("tape")

    taped = Taped(item, mark, scratch)
    taped.begin()
    item.stash[TAPED] = taped
    yield taped
    failure = taped.end(passed=item.stash.get(PASSED, False))
    item.config.pluginmanager.getplugin(SHELF).note(taped.applied)
    if failure:
        pytest.fail(failure, pytrace=False)


def _needed(taped: Taped | None) -> Taped:
    if taped is None:
        pytest.fail(f"a test that uses a tape has to name it: {USAGE}", pytrace=False)
    return taped


class TapeServer:
    """Where a test's application finds the provider. The same addresses are in the environment of
    the test, and of what it starts."""

    def __init__(self, taped: Taped) -> None:
        self._taped = taped
        self.url = taped.url
        self.webhook_url, self.webhook_port = taped.webhook_url, taped.webhook_port
        """Where webhooks of the tape go, and the port of it that is free for the application (0 if
        the address is a fixed one)."""

    @property
    def openai_base_url(self) -> str:
        """For `OpenAI(base_url=…)`."""
        return self._address("OPENAI_BASE_URL")

    @property
    def vapi_base_url(self) -> str:
        """For `Vapi(base_url=…)`."""
        return self._address("VAPI_BASE_URL")

    def _address(self, name: str) -> str:
        from replay.appenv import addresses

        return addresses(self.url)[name]

    def wait(self, limit_s: float = 20.0) -> bool:
        """Wait until a replay is over, for applications that go on by themselves; False if it is
        not within the limit. A recording is never over, and not waited for."""
        playing = self._taped.playing
        return playing.wait(limit_s) if playing else True


class TapeReport:
    """What a replay has come to so far; after the test it is checked in any case."""

    def __init__(self, taped: Taped) -> None:
        self._taped = taped

    @property
    def text(self) -> str:
        """Under 12 lines; of a recording, nothing."""
        playing = self._taped.playing
        return playing.report() if playing else ""

    @property
    def tally(self) -> Tally:
        """How many messages of both sides came or went out, of those on the tape."""
        from replay.report import Tally

        playing = self._taped.playing
        return playing.tally() if playing else Tally(0, 0)

    @property
    def failed(self) -> bool:
        """Whether something did not fit so far."""
        playing = self._taped.playing
        return playing.failed() if playing else False

    def expect_failure(self, pattern: str = "") -> None:
        """The replay has to fail, with a report that `pattern` is found in (`re.search`)."""
        self._taped.expected = pattern


@pytest.fixture
def tape_server(_tape: Taped | None) -> TapeServer:
    """The server that plays, or records, the tape of the test."""
    return TapeServer(_needed(_tape))


@pytest.fixture
def tape(_tape: Taped | None) -> TapeView:
    """The tape of the test: its events, digest, session and folder."""
    from replay.pytest_plugin.view import TapeView

    taped = _needed(_tape)
    source = taped.playing or taped.recording
    assert source
    return TapeView(taped.name, taped.folder, source.opened)


@pytest.fixture
def tape_report(_tape: Taped | None) -> TapeReport:
    """The report of the replay."""
    return TapeReport(_needed(_tape))


@pytest.fixture
def tape_env(_tape: Taped | None) -> dict[str, str]:
    """The environment for an application in a process of its own."""
    return _needed(_tape).environment()
