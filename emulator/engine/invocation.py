"""One invocation of a function, and how it ended."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.engine.lambda_errors import LambdaError
from emulator.engine.log_stream import WritesLines


def new_request_id() -> str:
    """Return a UUID (version 4) that need not be unguessable, without the cost of a system call and an object."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def trace_id_of(request_id: str) -> str:
    """Return an unsampled X-Ray header that belongs to a request (AWS X-Ray, "Tracing header")."""
    digits = request_id.replace("-", "")
    return f"Root=1-{digits[:8]}-{digits[8:]};Parent={digits[-16:]};Sampled=0"


@dataclass(slots=True)
class Invocation:
    """An event for a function. `timeout_seconds` runs from the moment the event is handed to the runtime.

    `log` takes the lines of the function and of the platform. The REPORT line goes to `on_report`, by default to `log`.
    An environment that has served another `tenant_id` does not run it.
    """

    event: bytes
    timeout_seconds: float
    function_arn: str
    log: WritesLines
    client_context: str | None = None
    tenant_id: str | None = None
    request_id: str = field(default_factory=new_request_id)
    trace_id: str = ""
    on_report: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self.trace_id = self.trace_id or trace_id_of(self.request_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation answered.

    `error` is set when the platform ended it; a function's own error has `is_error` and the runtime's JSON `payload`.
    """

    payload: bytes
    is_error: bool = False
    error: LambdaError | None = None
    status: str | None = None

    @classmethod
    def of(cls, error: LambdaError, status: str = "error") -> Outcome:
        """Return the outcome of an invocation that the platform ended."""
        return cls(error.body(), is_error=True, error=error, status=status)
