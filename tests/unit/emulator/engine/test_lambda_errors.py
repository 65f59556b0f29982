import json
import signal

import pytest

from emulator.engine import lambda_errors


def test_a_timeout_in_lambdas_words() -> None:
    error = lambda_errors.timed_out("id-1", 3, "2026-01-01T00:00:00.000Z")
    assert json.loads(error.body()) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id-1 Error: Task timed out after 3.00 seconds",
    }
    assert error.log_lines == ("2026-01-01T00:00:00.000Z id-1 Task timed out after 3.00 seconds",)


@pytest.mark.parametrize(
    ("return_code", "text"),
    [
        (1, "Runtime exited with error: exit status 1"),
        (-signal.SIGKILL, "Runtime exited with error: signal: killed"),
        (-signal.SIGSEGV, "Runtime exited with error: signal: segmentation fault"),
        (-63, "Runtime exited with error: signal: signal 63"),
        (0, "Runtime exited without providing a reason"),
        (None, "Runtime exited without providing a reason"),
    ],
)
def test_the_end_of_a_process_in_lambdas_words(return_code: int | None, text: str) -> None:
    error = lambda_errors.exited("id-1", return_code)
    assert json.loads(error.body()) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: id-1 Error: {text}",
    }
    assert error.log_lines == (f"RequestId: id-1 Error: {text}", "Runtime.ExitError")


def test_too_much_memory_is_a_kill_with_a_type_of_its_own() -> None:
    error = lambda_errors.out_of_memory("id-1")
    assert error.error_type == "Runtime.OutOfMemory"
    assert error.message.endswith("signal: killed")


def test_the_limits_are_named_in_bytes() -> None:
    assert json.loads(lambda_errors.response_too_large().body()) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert "6291456 bytes" in json.loads(lambda_errors.request_too_large())["message"]
