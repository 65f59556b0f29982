"""The lines that Lambda itself writes into a function's log.

SAM CLI waits for the REPORT line as text (`Container._handle_data_writing`), whatever log format the function has.
Source: AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs".
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

_MIB = 1024 * 1024


def start_line(request_id: str) -> str:
    """Return the line that opens an invocation."""
    return f"START RequestId: {request_id} Version: $LATEST"


def end_line(request_id: str) -> str:
    """Return the line that closes an invocation."""
    return f"END RequestId: {request_id}"


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """Return the ms that are billed: init with the invocation that needed it, as Lambda has done since August 2025."""
    return math.ceil(duration_ms + (init_ms or 0))


def report_line(
    request_id: str,
    *,
    duration_ms: float,
    memory_mb: int,
    max_memory_bytes: int,
    init_ms: float | None = None,
    status: str | None = None,
    error_type: str | None = None,
) -> str:
    """Return the REPORT line; `init_ms` only for the first invocation of an execution environment."""
    billed = billed_ms(duration_ms, init_ms)
    used = min(memory_mb, max(1, math.ceil(max_memory_bytes / _MIB)))
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {memory_mb} MB",
        f"Max Memory Used: {used} MB",
    ]
    if init_ms is not None:
        fields.append(f"Init Duration: {init_ms:.2f} ms")
    return "\t".join(fields + _status(status, error_type))


def init_report_line(*, duration_ms: float, phase: str, status: str, error_type: str | None = None) -> str:
    """Return the line about an init that failed; `phase` is `init`, or `invoke` when an invocation waited for it."""
    fields = [f"INIT_REPORT Init Duration: {duration_ms:.2f} ms", f"Phase: {phase}"]
    return "\t".join(fields + _status(status, error_type))


def iso_now() -> str:
    """Return the time as Lambda's log lines have it: UTC, milliseconds, `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status(status: str | None, error_type: str | None) -> list[str]:
    fields = [f"Status: {status}"] if status else []
    return [*fields, f"Error Type: {error_type}"] if error_type else fields
