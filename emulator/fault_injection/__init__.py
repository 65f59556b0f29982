"""A proxy in front of each backing service that refuses, stalls, answers slowly or with an error, on demand."""

from emulator.fault_injection.fault import Fault, FaultError
from emulator.fault_injection.http_wire import ErrorBody, Head, HttpWire
from emulator.fault_injection.proxy import Proxy
from emulator.fault_injection.redis_wire import RedisWire
from emulator.fault_injection.registry import Faults
from emulator.fault_injection.wire import Wire

__all__ = ["ErrorBody", "Fault", "FaultError", "Faults", "Head", "HttpWire", "Proxy", "RedisWire", "Wire"]
