"""A tape as a script: what the client has to send, and what the provider sends in answer to it."""

from replay.script.reading import read_script
from replay.script.steps import (
    DeliveryScript,
    ExchangeScript,
    Expected,
    Planned,
    Script,
    SocketScript,
)

__all__ = [
    "DeliveryScript",
    "ExchangeScript",
    "Expected",
    "Planned",
    "Script",
    "SocketScript",
    "read_script",
]
