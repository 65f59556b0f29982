"""A proxy in front of each backing service that refuses, stalls, answers slowly or with an error, on demand."""

from emulator.fault_injection.fault import Fault, FaultError
from emulator.fault_injection.proxy import Proxy
from emulator.fault_injection.registry import Faults

__all__ = ["Fault", "FaultError", "Faults", "Proxy"]
