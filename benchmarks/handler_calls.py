"""Call a handler in process, one event after the other: a program for the function's own interpreter.

`python -B -P handler_calls.py HANDLER EVENT SECONDS RESULT` with the package on PYTHONPATH: HANDLER as the template has
it (`module.function`), EVENT a file, SECONDS how long to call; RESULT gets the latencies as a JSON list, in ms.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import uuid
from typing import Any

WARM_UP_CALLS = 20


class Context:
    """What Lambda passes beside the event (AWS Lambda Developer Guide, "Lambda context object in Python")."""

    function_name = "InventoryFunction"
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:InventoryFunction"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return what is left of the invocation's time."""
        return 15_000


def latencies(handler: Any, event: str, seconds: float) -> list[float]:
    """Return the ms of each call within `seconds`. Raises `RuntimeError` when an answer has another status than 200."""
    taken = []
    for number in range(-WARM_UP_CALLS, sys.maxsize):
        if number == 0:
            deadline = time.perf_counter() + seconds
        if number > 0 and time.perf_counter() > deadline:
            break
        began = time.perf_counter()
        answer = handler(json.loads(event), Context())  # a handler may change its event
        took = (time.perf_counter() - began) * 1000
        if answer["statusCode"] != 200:
            raise RuntimeError(f"The handler answered {answer['statusCode']}: {answer.get('body')}")
        if number >= 0:
            taken.append(took)
    return taken


def main() -> None:
    """Do what the command line says."""
    handler_name, event_path, seconds, result_path = sys.argv[1:]
    module, _, name = handler_name.rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    with open(event_path) as event:  # noqa: PTH123
        taken = latencies(handler, event.read(), float(seconds))
    with open(result_path, "w") as result:  # noqa: PTH123
        json.dump(taken, result)


if __name__ == "__main__":
    main()
