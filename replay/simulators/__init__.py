"""Seeded stand-ins for each provider: machines that talk the protocol without a tape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from recorder.events import Machine
from replay.simulators.openai import OpenAISimulator
from replay.simulators.openai_live import LiveSimulator
from replay.simulators.vapi import VapiSimulator


class SimulatorFactory(Protocol):
    """Makes a simulator from a seed and the wall time (ns since 1970) of its first message."""

    def __call__(self, seed: int, wall_ns: int) -> Machine: ...


SIMULATORS: Mapping[str, SimulatorFactory] = {
    "openai": OpenAISimulator,
    "openai-live": LiveSimulator,
    "vapi": VapiSimulator,
}
