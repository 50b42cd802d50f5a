"""A seeded stand-in for Vapi, without I/O: REST, webhooks and the socket of a call."""

from replay.simulators.vapi.machine import VapiSimulator
from replay.simulators.vapi.options import Options

__all__ = ["Options", "VapiSimulator"]
