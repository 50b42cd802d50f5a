"""The client's side of a tape as a machine: talks to whoever plays the provider."""

from replay.caller.machine import Caller
from replay.caller.reading import read_plan

__all__ = ["Caller", "read_plan"]
