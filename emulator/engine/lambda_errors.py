"""The errors and limits of Lambda's Invoke API, in Lambda's own words.

Source: AWS Lambda Developer Guide, "Lambda quotas" and "Understanding retry behavior" (function errors), and the texts
that the service answers with.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

REQUEST_LIMIT_BYTES = 6 * 1024 * 1024
"""The largest event of a synchronous invocation."""
RESPONSE_LIMIT_BYTES = 6_291_556
"""The largest response: the request's limit and 100 bytes of envelope."""


@dataclass(frozen=True)
class LambdaError:
    """An invocation's error that did not come from the function's own code.

    `log_lines` is what Lambda writes to the log about it.
    """

    error_type: str
    message: str
    log_lines: tuple[str, ...] = ()

    def body(self) -> bytes:
        """Return the payload of the Invoke API's response."""
        return json.dumps({"errorType": self.error_type, "errorMessage": self.message}).encode()


def timed_out(request_id: str, seconds: float, now: str) -> LambdaError:
    """Return the error of an invocation that ran past the function's timeout; `now` is an ISO 8601 time."""
    text = f"Task timed out after {seconds:.2f} seconds"
    return LambdaError("Sandbox.Timedout", f"RequestId: {request_id} Error: {text}", (f"{now} {request_id} {text}",))


def exited(request_id: str, return_code: int | None, error_type: str = "Runtime.ExitError") -> LambdaError:
    """Return the error of an invocation whose process ended; a negative `return_code` is the signal that ended it."""
    text = f"RequestId: {request_id} Error: {_exit_text(return_code)}"
    return LambdaError(error_type, text, (text, error_type))


def out_of_memory(request_id: str) -> LambdaError:
    """Return the error of an invocation that was killed for using more than the function's memory."""
    return exited(request_id, -signal.SIGKILL, "Runtime.OutOfMemory")


def response_too_large() -> LambdaError:
    """Return the error of an invocation whose response is larger than Lambda delivers."""
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes)."
    return LambdaError("Function.ResponseSizeTooLarge", message, (message,))


def not_started(request_id: str, reason: str) -> LambdaError:
    """Return the error of an invocation for which no process could be started."""
    text = f"RequestId: {request_id} Error: {reason}"
    return LambdaError("Runtime.InvalidEntrypoint", text, (text, "Runtime.InvalidEntrypoint"))


def request_too_large() -> bytes:
    """Return the body of the Invoke API's 413 answer, RequestEntityTooLargeException."""
    message = f"Request must be smaller than {REQUEST_LIMIT_BYTES} bytes for the InvokeFunction operation"
    return json.dumps({"Type": "User", "message": message}).encode()


def _exit_text(return_code: int | None) -> str:
    if not return_code:
        return "Runtime exited without providing a reason"
    if return_code > 0:
        return f"Runtime exited with error: exit status {return_code}"
    return f"Runtime exited with error: signal: {_signal_text(-return_code)}"


def _signal_text(number: int) -> str:
    # The words of Go's syscall.Signal, because Lambda's supervisor is written in Go.
    words = {
        signal.SIGABRT: "aborted",
        signal.SIGFPE: "floating point exception",
        signal.SIGHUP: "hangup",
        signal.SIGILL: "illegal instruction",
        signal.SIGINT: "interrupt",
        signal.SIGKILL: "killed",
        signal.SIGSEGV: "segmentation fault",
        signal.SIGTERM: "terminated",
    }
    try:
        return words[signal.Signals(number)]
    except (KeyError, ValueError):
        return f"signal {number}"
