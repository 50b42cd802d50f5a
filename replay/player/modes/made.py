"""From the name of a mode to the mode."""

from __future__ import annotations

from replay.player.modes.base import Mode, ModeName, World
from replay.player.modes.causal import Causal
from replay.player.modes.stepped import Stepped
from replay.player.modes.strict import Strict
from replay.player.modes.timed import Timed
from replay.player.pace import Pace
from replay.script import Script


def mode_of(name: ModeName, pace: Pace, world: World, script: Script) -> Mode:
    """The mode for one playing of a tape."""
    if name == "strict":
        return Strict(pace, world, script)
    if name == "timed":
        return Timed(pace, world)
    return Stepped(pace, world) if name == "step" else Causal(pace, world)
