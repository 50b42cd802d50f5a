"""The settings of the plug-in: command line, then environment, marker, ini file, default."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

import pytest

from replay.pytest_plugin.modes import MODES, Mode


class Setting(NamedTuple):
    """A setting: `--tape-NAME`, the variable `REPLAY_TAPE_NAME`, `tape_NAME` in the ini file."""

    name: str
    default: str
    metavar: str
    help: str

    @property
    def option(self) -> str:
        return f"--tape-{self.name}"

    @property
    def variable(self) -> str:
        return f"REPLAY_TAPE_{self.name.replace('-', '_').upper()}"

    @property
    def ini(self) -> str:
        return f"tape_{self.name.replace('-', '_')}"


SETTINGS = {
    each.name: each
    for each in (
        Setting("mode", "replay", "MODE", f"What tests with a tape do: {', '.join(MODES)}."),
        Setting("dir", "tests/tapes", "DIR", "Where tapes are kept."),
        Setting("play-mode", "causal", "MODE", "causal, strict or timed: when messages go out."),
        Setting("speed", "max", "FACTOR|max", "The pace of a replay; 1 is as recorded."),
        Setting(
            "audio", "exact", "MODE", "exact, energy, duration or ignore: how audio is compared."
        ),
        Setting("rules", "", "FILE", "Rules of what may differ, for all tapes."),
        Setting("patience", "15", "S", "How long a replay waits for the application."),
        Setting("webhook-to", "http://127.0.0.1:{port}", "URL", "The application's server."),
        Setting("webhook-secret-env", "", "NAME", "The variable with the secret of webhooks."),
        Setting("openai-url", "https://api.openai.com", "URL", "What is recorded as OpenAI."),
        Setting("vapi-url", "https://api.vapi.ai", "URL", "What is recorded as Vapi."),
        Setting("max-age", "", "DAYS", "How old a tape may be, such as 90d; no limit if empty."),
        Setting("allow-hosts", "", "HOSTS", "Hosts that stay reachable, separated by spaces."),
    )
}


def add_options(parser: pytest.Parser) -> None:
    """Declare all settings, and two flags that are only for the command line."""
    group = parser.getgroup("tapes", "tapes of voice-AI conversations")
    for setting in SETTINGS.values():
        shown = f"{setting.help} [default: {setting.default or 'none'}]"
        group.addoption(setting.option, metavar=setting.metavar, help=shown.replace("%", "%%"))
        parser.addini(setting.ini, setting.help)
    group.addoption("--tape-orphans", action="store_true", help="List tapes that no test names.")
    group.addoption(
        "--tape-record-on-error",
        action="store_true",
        help="Keep a new tape although its test failed.",
    )


def value_of(config: pytest.Config, name: str, marked: object = None) -> str:
    """A setting as text; `marked` is what a test's marker says of it."""
    setting = SETTINGS[name]
    given = (
        config.getoption(setting.option),
        os.environ.get(setting.variable),
        None if marked is None else str(marked),
        config.getini(setting.ini),
    )
    return next((str(value) for value in given if value), setting.default)


def mode_of(config: pytest.Config) -> Mode:
    """The mode of this run; UsageError lists the valid ones."""
    found = value_of(config, "mode")
    if found not in MODES:
        raise pytest.UsageError(f"--tape-mode {found!r} is no mode: use one of {', '.join(MODES)}")
    return found


def max_age_days(config: pytest.Config) -> int | None:
    """How old a tape may be; None without a limit."""
    text = value_of(config, "max-age")
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,6})\s*d?", text.strip())
    if not found:
        raise pytest.UsageError(f"tape_max_age {text!r} is no age: give days, such as 90d")
    return int(found[1])


def check_manner(config: pytest.Config) -> None:
    """UsageError if how tapes are played is set to what cannot be. What reads the settings is
    imported only where there are some."""
    given = {name: value_of(config, name) for name in (*_MARKED.values(), "rules")}
    if all(value == SETTINGS[name].default for name, value in given.items()):
        return
    from recorder.errors import RecorderError
    from replay.pytest_plugin import manner

    file = given["rules"]
    try:
        manner.speed_of(given["speed"])
        manner.patience_of(given["patience"])
        manner.audio_of(given["audio"])
        manner.play_mode_of(given["play-mode"])
        manner.rules_of(config.rootpath / file if file else None, (), "")
    except RecorderError as error:
        raise pytest.UsageError(str(error)) from None


class TapeMark(NamedTuple):
    """What a test's marker says; `options` are settings by name."""

    name: str
    rules: tuple[str, ...]
    options: dict[str, Any]


_MARKED = {
    "mode": "play-mode",
    "speed": "speed",
    "audio": "audio",
    "patience": "patience",
    "webhook_to": "webhook-to",
}
USAGE = f'@pytest.mark.tape("NAME", rules=[…], {", ".join(f"{each}=…" for each in _MARKED)})'


def tape_mark(item: pytest.Item) -> TapeMark | None:
    """The marker of a test, None without one. Without a name the tape is called like the test.
    UsageError tells how it is written."""
    mark = item.get_closest_marker("tape")
    if mark is None:
        return None
    if any(sum(each.name == "tape" for each in node.own_markers) > 1 for node in item.listchain()):
        raise pytest.UsageError(f"{item.nodeid}: a test has one tape: leave one tape(…) out")
    given = dict(mark.kwargs)
    names = mark.args or (given.pop("name", item.nodeid),)
    rules = given.pop("rules", ())
    unknown = sorted(given.keys() - set(_MARKED))
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: tape() has no {unknown[0]!r}; write {USAGE}")
    if len(names) != 1 or not isinstance(names[0], str) or not names[0] or isinstance(rules, str):
        raise pytest.UsageError(f"{item.nodeid}: a tape has one name, and a list of rules: {USAGE}")
    options = {_MARKED[name]: value for name, value in given.items()}
    return TapeMark(names[0], tuple(rules), options)
