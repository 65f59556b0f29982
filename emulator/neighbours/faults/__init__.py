"""Faults of neighbours, on demand: a relay in front of each, told to refuse, stall, answer slowly or with an error."""

from emulator.neighbours.faults.fault import Fault, FaultError
from emulator.neighbours.faults.registry import Faults
from emulator.neighbours.faults.relay import Relay

__all__ = ["Fault", "FaultError", "Faults", "Relay"]
