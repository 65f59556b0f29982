"""The emulator's functions as MiniStack knows them, and what is posted to the emulator for them."""

from __future__ import annotations

import importlib
import json
import logging
import threading
import urllib.parse
import urllib.request
from typing import Any

DENIED_DELIVERY_HEADER = "emulator-denied-delivery"
_FORWARD_TO = "FORWARD_TO"
_POST_SECONDS = 30

logger = logging.getLogger("ministack_deliveries")


def tell_denied(arn: str, denied: dict[str, str]) -> None:
    """Tell the emulator that `denied` keeps events from the function `arn`."""
    _, config = function_of(arn)
    url = forwards_to(config or {})
    if url:
        post(url, b"", {DENIED_DELIVERY_HEADER: json.dumps({**denied, "target": arn})})
    logger.warning("%s may not invoke %s", denied["principal"], arn)


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """Post to the emulator without waiting."""

    def post() -> None:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_POST_SECONDS):  # noqa: S310
                pass
        except OSError as error:
            logger.warning("%s did not take an event: %s", url, error)

    threading.Thread(target=post, daemon=True).start()


def answer_of(url: str, event: Any, seconds: int) -> dict[str, Any]:
    """Return what the emulator's function answers to `event`, as MiniStack's executors return it."""
    request = urllib.request.Request(url, json.dumps(event).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            body = json.loads(answer.read() or b"null")
            if "X-Amz-Function-Error" not in answer.headers:
                return {"body": body}
    except TimeoutError:
        body = {"errorType": "Sandbox.Timedout", "errorMessage": f"Task timed out after {seconds}.00 seconds"}
    except (OSError, ValueError) as error:
        body = {"errorType": "Runtime.Unreachable", "errorMessage": f"The emulator did not run the function: {error}"}
    return {"body": body, "error": True, "function_error": "Unhandled"}


def forwards_to(config: dict[str, Any]) -> str:
    """Return where the emulator takes events for a function, "" for a function that is not the emulator's."""
    variables = (config.get("Environment") or {}).get("Variables") or {}
    return str(variables.get(_FORWARD_TO, ""))


def function_of(reference: str) -> tuple[Any, Any]:
    """Return MiniStack's record and configuration of a function by its name or ARN, None twice without one."""
    func, config, _ = lambda_service()._get_func_record_for_ref(reference)  # noqa: SLF001
    return func, config


def lambda_service() -> Any:
    """Return MiniStack's module of Lambda."""
    return importlib.import_module("ministack.services.lambda_svc")
