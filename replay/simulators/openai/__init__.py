"""A seeded stand-in for the OpenAI Realtime API, without I/O."""

from replay.simulators.openai.machine import OpenAISimulator
from replay.simulators.openai.options import Options

__all__ = ["OpenAISimulator", "Options"]
