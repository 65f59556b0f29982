"""One invocation of a function, and how it ended."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

from emulator.engine.lambda_errors import LambdaError


@dataclass(frozen=True)
class Invocation:
    """An event for a function. `timeout_seconds` runs from the moment the event is handed to the runtime."""

    event: bytes
    timeout_seconds: float
    function_arn: str
    content_type: str = "application/json"
    client_context: str | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def carrying(self, event: bytes) -> Invocation:
        """Return the same invocation with another event."""
        return replace(self, event=event)

    def trace_id(self) -> str:
        """Return an unsampled X-Ray header that belongs to this request (AWS X-Ray, "Tracing header")."""
        digits = self.request_id.replace("-", "")
        return f"Root=1-{digits[:8]}-{digits[8:]};Parent={digits[-16:]};Sampled=0"


@dataclass(frozen=True)
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
