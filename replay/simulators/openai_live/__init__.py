"""A seeded stand-in for GPT-Live, without I/O."""

from replay.simulators.openai_live.machine import LiveSimulator
from replay.simulators.openai_live.options import Options

__all__ = ["LiveSimulator", "Options"]
