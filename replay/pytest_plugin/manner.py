"""How a tape is played, from settings that are text; RecorderError tells what is valid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recorder.errors import RecorderError
from replay.commands.files import read_text
from replay.commands.serving import speed_of as speed_of_option
from replay.match.hearing import AUDIO_MODES, AudioMode
from replay.match.rules import Rule, parse_rules
from replay.player.modes import MODES, ModeName


def speed_of(text: str) -> float | None:
    """The factor of a speed; None for `max`."""
    return speed_of_option("--tape-speed", text)


def patience_of(text: str) -> float:
    """Seconds of 0 or more."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise RecorderError(f"--tape-patience {text!r} is no time: give seconds, such as 15")
    return found


def audio_of(text: str) -> AudioMode:
    """How audio is compared."""
    if text not in AUDIO_MODES:
        raise RecorderError(
            f"--tape-audio {text!r} is no mode: use one of {', '.join(AUDIO_MODES)}"
        )
    return text


def play_mode_of(text: str) -> ModeName:
    """When messages go out. `step` is not for tests: nobody steps."""
    if text not in MODES or text == "step":
        known = ", ".join(mode for mode in MODES if mode != "step")
        raise RecorderError(
            f"tape(mode={text!r}): a tape plays in no such mode: use one of {known} "
            "(--tape-mode chooses between replaying and recording)"
        )
    return text


def rules_of(file: Path | None, marked: Sequence[str], where: str) -> tuple[Rule, ...]:
    """The rules of a file for all tapes, then those of a marker that stands at `where`."""
    rules = parse_rules(marked, where)
    if file is None:
        return rules
    text = read_text(file, f"--tape-rules {file}", "name a text file with one rule a line")
    return (*parse_rules(text.splitlines(), file.name), *rules)
