"""The provider's side of a tape as a machine."""

from replay.player.machine import Player

__all__ = ["Player"]
