"""One test with a tape: what is set up for it, and what is checked when it is over."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from warnings import warn

import pytest

from recorder.errors import RecorderError
from replay.pytest_plugin import texts
from replay.pytest_plugin.guard import NetworkGuard, remedy
from replay.pytest_plugin.modes import State, in_ci, plan
from replay.pytest_plugin.names import folder_name
from replay.pytest_plugin.settings import SETTINGS, TapeMark, max_age_days, mode_of, value_of

if TYPE_CHECKING:
    from replay.kept import Kept
    from replay.playing import Manner
    from replay.pytest_plugin.playing import Playing
    from replay.pytest_plugin.recording import Recording

_MARKER = "the marker of"
OWN_SERVER = SETTINGS["webhook-to"].default


class TapeExpired(UserWarning):
    """A tape is older than `tape_max_age`."""


class _Found(NamedTuple):
    state: State
    kept: Kept | None = None
    reason: str = ""


def folder_of(config: pytest.Config, name: str) -> Path:
    """Where the tape `name` is kept."""
    return tape_dir(config) / folder_name(name)


def tape_dir(config: pytest.Config) -> Path:
    """The folder of all tapes."""
    return config.rootpath / value_of(config, "dir")


class Taped:
    """The tape of one test, from `begin` to `end`. `scratch` makes a folder for what is recorded.
    `expected` is what the report has to say where the replay is meant to fail; `applied` are the
    rules of a replay that was complete, and whether each held anywhere."""

    def __init__(self, item: pytest.Item, mark: TapeMark, scratch: Callable[[], Path]) -> None:
        from replay.appenv import webhook_address

        self.name, self.nodeid = mark.name, item.nodeid
        self.mode = mode_of(item.config)
        self.folder = folder_of(item.config, mark.name)
        self.expected: str | None = None
        self.applied: dict[str, bool] = {}
        self.playing: Playing | None = None
        self.recording: Recording | None = None
        template = self._value(item.config, mark, "webhook-to")
        self.webhook_url, variables = webhook_address(template)
        self.webhook_port = int(variables.get("REPLAY_WEBHOOK_PORT", 0))
        self._variables = variables | {"REPLAY_TAPE": mark.name}
        self._delivers = template != OWN_SERVER
        self._config, self._mark, self._scratch = item.config, mark, scratch
        self._open = ExitStack()
        self._guard = NetworkGuard(re.split(r"[\s,]+", value_of(item.config, "allow-hosts")))

    @staticmethod
    def _value(config: pytest.Config, mark: TapeMark, name: str) -> str:
        return value_of(config, name, mark.options.get(name))

    @property
    def url(self) -> str:
        """Where the test's application finds the provider."""
        source = self.playing or self.recording
        assert source
        return source.url

    # The beginning

    def begin(self) -> None:
        """Play the tape or record it, as the mode says; the test fails or is skipped if it cannot
        be done."""
        found = self._find() if self.mode != "live" else _Found("missing")
        what = plan(self.mode, found.state, in_ci(os.environ))
        if what == "skip":
            pytest.skip(texts.there(self.name, self.folder))
        told = {"missing": texts.missing, "refused": texts.refused}.get(what)
        if told:
            pytest.fail(told(self.name, self.folder, self.nodeid), pytrace=False)
        if what == "damaged":
            text = texts.damaged(self.name, self.folder, self.nodeid, found.reason)
            pytest.fail(text, pytrace=False)
        reason = self._started(found.kept)
        if reason is not None:
            self._open.close()
            pytest.fail(f"tape {self.name!r}: {reason}", pytrace=False)
        self._lead()

    def _started(self, kept: Kept | None) -> str | None:
        """Start playing or recording; why it cannot be done, if it cannot."""
        try:
            if kept:
                self._check_age(kept)
                self._play(kept)
            else:
                self._record()
        except RecorderError as error:
            return str(error)
        return None

    def _find(self) -> _Found:
        from recorder.clock import SystemClock
        from replay.kept import read_kept

        if not self.folder.exists() or not any(self.folder.iterdir()):
            return _Found("missing")
        try:
            return _Found("kept", read_kept(self.folder, SystemClock(), os.environ))
        except RecorderError as error:
            return _Found("damaged", None, str(error))

    def _check_age(self, kept: Kept) -> None:
        from recorder.clock import SystemClock

        limit, wall_ns = max_age_days(self._config), kept.row.wall_ns
        if limit is None:
            return
        text = texts.expired(self.name, self.folder, wall_ns, SystemClock().wall_ns(), limit)
        if text and in_ci(os.environ):
            pytest.fail(text, pytrace=False)
        if text:
            warn(TapeExpired(text), stacklevel=1)

    def _play(self, kept: Kept) -> None:
        from recorder.commands.common import webhook_secret
        from recorder.redact import Secrets, known_secrets
        from replay.appenv import no_keys
        from replay.pytest_plugin.manner import rules_of
        from replay.pytest_plugin.playing import Playing

        file = value_of(self._config, "rules")
        path = self._config.rootpath / file if file else None
        rules = rules_of(path, self._mark.rules, f"{_MARKER} {self.nodeid}")
        self.playing = Playing(
            kept,
            self._manner(),
            rules,
            Secrets(b"", known_secrets(os.environ)),
            delivers=self._delivers,
            webhook_secret=webhook_secret(value_of(self._config, "webhook-secret-env") or None),
        )
        self.playing.start()
        self._open.callback(self.playing.stop)
        self._variables |= no_keys() | {"REPLAY_SESSION": kept.row.id}

    def _manner(self) -> Manner:
        from replay.playing import Manner
        from replay.pytest_plugin.manner import audio_of, patience_of, play_mode_of, speed_of

        def value(name: str) -> str:
            return self._value(self._config, self._mark, name)

        return Manner(
            speed_of(value("speed")),
            patience_of(value("patience")),
            self.webhook_url,
            audio_of(value("audio")),
            play_mode_of(value("play-mode")),
        )

    def _record(self) -> None:
        from replay.pytest_plugin.recording import Recording

        options = [
            word
            for name in ("openai-url", "vapi-url")
            if (url := value_of(self._config, name)) != SETTINGS[name].default
            for word in (f"--{name}", url)
        ]
        if self._delivers:
            options += ["--webhook-to", self.webhook_url]
        self.recording = Recording(self._scratch(), self.name, options)
        self.recording.start()
        self._open.callback(self.recording.stop)

    def _lead(self) -> None:
        """Lead this process and its children to the server, and nowhere else."""
        from replay.appenv import addresses

        patch = self._open.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**addresses(self.url), **self._variables}.items():
            patch.setenv(name, value)
        if self.mode != "live":
            self._open.enter_context(self._guard)

    def environment(self) -> dict[str, str]:
        """The environment of an application in a process of its own."""
        from replay.appenv import no_network

        return {**os.environ, **({} if self.mode == "live" else no_network())}

    # The end

    def end(self, *, passed: bool) -> str | None:
        """Check, and stop. Returns why the test fails, though it passed so far."""
        with self._open:
            if self.playing:
                failure = self.verdict()
                if not self.playing.failed():
                    self.applied = self._held()
                return failure if passed else None
        return self._taken(passed) if self.mode != "live" else None

    def verdict(self) -> str | None:
        """End the replay, if there is one, and say why it fails the test."""
        if not self.playing:
            return None
        self.playing.leave()
        text, has_failed = self.playing.report(), self.playing.failed()
        failure = self._judged(text) if has_failed or self.expected is not None else None
        return failure or self._blocked()

    def _judged(self, text: str) -> str | None:
        """Why a replay that failed, or was meant to, fails the test."""
        if self.expected is None:
            return f"tape {self.name!r}: {text}"
        if re.search(self.expected, text):
            return None
        return f"tape {self.name!r} had to fail with {self.expected!r}: {text}"

    def _held(self) -> dict[str, bool]:
        """The rules by where they stand (those of markers by their tape): whether each held."""
        assert self.playing
        tape = f"a marker of tape {self.name!r}"
        return {
            f"{rule} ({tape if rule.source.startswith(_MARKER) else rule.source})": held
            for rule, held in self.playing.rules_held().items()
        }

    def _blocked(self) -> str | None:
        places = self._guard.attempts
        return texts.blocked(places, remedy(places[0].rpartition(":")[0])) if places else None

    def _taken(self, passed: bool) -> str | None:
        """Keep what was recorded, if the test passed."""
        assert self.recording
        blocked = self._blocked()
        if not (passed and not blocked) and not self._config.getoption("tape_record_on_error"):
            return blocked if passed else None
        try:
            self.recording.keep(self.folder)
        except RecorderError as error:
            return f"tape {self.name!r} was not recorded: {error}"
        return blocked

    def section(self) -> str:
        """What to tell of the tape beneath a test that failed by itself."""
        if self.playing:
            return self.playing.report()
        assert self.recording
        if self.mode == "live":
            return f"recorded in {self.recording.store}"
        if self._config.getoption("tape_record_on_error"):
            return f"to be kept as {os.path.relpath(self.folder)}, although the test failed"
        return (
            f"not kept, because the test failed (--tape-record-on-error keeps it); the recording "
            f"is in {self.recording.store}"
        )
