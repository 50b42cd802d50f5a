"""When what a tape has goes out: one small strategy for each `--mode`."""

from replay.player.modes.base import MODES, Ahead, Lane, Mode, ModeName, World
from replay.player.modes.causal import Causal
from replay.player.modes.made import mode_of
from replay.player.modes.stepped import Stepped

__all__ = ["MODES", "Ahead", "Causal", "Lane", "Mode", "ModeName", "Stepped", "World", "mode_of"]
