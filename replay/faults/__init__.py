"""What can go wrong, on a schedule or by chance: see docs/faults.md."""

from replay.faults.grammar import Fault, parse_fault, read_plan
from replay.faults.ledger import idle, told
from replay.faults.machine import Faulty
from replay.faults.replay import FaultyReplay

__all__ = ["Fault", "Faulty", "FaultyReplay", "idle", "parse_fault", "read_plan", "told"]
