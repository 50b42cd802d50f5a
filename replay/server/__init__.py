"""Machines behind real sockets."""

from replay.server.machine_server import MachineServer

__all__ = ["MachineServer"]
