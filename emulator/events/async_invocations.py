"""Asynchronous invocations: taken at once, tried again when they fail, and told to a destination at the end.

Lambda waits a minute before it tries again, and two before the third time; here it is seconds. What it sends to
destinations and to a dead-letter queue is sent with the credentials of the function's role, which must allow it.

Source: AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation", "Capturing
records of Lambda asynchronous invocations" (the record, its targets) and "Adding a dead-letter queue" (its attributes).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from emulator.aws.destinations import Message, Settings
from emulator.engine.invocation import Outcome

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS: Final = (1.0, 2.0)
"""How long a failed event waits: Lambda's minutes as seconds."""
_LONGEST_ERROR_MESSAGE: Final = 1024


class Event(NamedTuple):
    """One event for a function: `name` and `qualifier` ("" for none) are what it was sent to, `payload` is JSON."""

    function: str
    name: str
    qualifier: str
    arn: str
    payload: bytes
    request_id: str
    trace_id: str


class AsyncInvocations:
    """Runs events behind their senders' backs.

    `invoke` runs one attempt. `settings(name, qualifier)` and `send(function, message)` run in threads; what `send`
    raises is said in the log.
    """

    def __init__(
        self,
        invoke: Callable[[Event], Awaitable[Outcome]],
        settings: Callable[[str, str], Settings],
        send: Callable[[str, Message], Awaitable[None]],
    ) -> None:
        self._invoke = invoke
        self._settings = settings
        self._send = send

    async def run(self, event: Event) -> None:
        """Run `event` to its end: an answer, or the last failure."""
        settings = await asyncio.to_thread(self._settings, event.name, event.qualifier)
        began, attempts, condition = time.monotonic(), 0, "RetriesExhausted"
        while True:
            outcome = await self._invoke(event)
            attempts += 1
            if not outcome.is_error:
                condition = "Success"
            elif attempts <= settings.retries:
                wait = RETRY_AFTER_SECONDS[min(attempts, len(RETRY_AFTER_SECONDS)) - 1]
                if time.monotonic() + wait - began <= settings.longest_age:
                    await asyncio.sleep(wait)
                    continue
                condition = "EventAgeExceeded"
            break
        for message in messages(event, outcome, settings, condition, attempts):
            await self._deliver(event.function, message)
        if outcome.is_error and not (settings.on_failure or settings.dead_letters):
            log.warning("%s failed %d times for an event, which is dropped (%s).", event.function, attempts, condition)

    async def _deliver(self, function: str, message: Message) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            await self._send(function, message)
        except (BotoCoreError, ClientError, OSError) as error:
            log.warning("What became of an event of %s could not be sent to %s: %s", function, message.target, error)


def messages(event: Event, outcome: Outcome, settings: Settings, condition: str, attempts: int) -> list[Message]:
    """Return what is sent when an event has come to its end: to the destination, and to the dead-letter queue."""
    is_success = condition == "Success"
    destination = settings.on_success if is_success else settings.on_failure
    sent = []
    if destination:
        body = json.dumps(record(event, outcome, condition, attempts), ensure_ascii=False)
        sent.append(Message(destination, body, is_success, event.arn, {}))
    if settings.dead_letters and not is_success:
        told = _json(outcome.payload)
        sentence = str(told.get("errorMessage", "") if isinstance(told, Mapping) else told)
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": event.request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "ErrorMessage": {"DataType": "String", "StringValue": sentence[:_LONGEST_ERROR_MESSAGE] or "none"},
        }
        sent.append(
            Message(settings.dead_letters, event.payload.decode("utf-8", "replace"), is_success, event.arn, attributes)
        )
    return sent


def record(event: Event, outcome: Outcome, condition: str, attempts: int) -> dict[str, Any]:
    """Return the invocation record for a destination."""
    failed = {"functionError": "Unhandled"} if outcome.is_error else {}
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{event.arn}:{event.qualifier or '$LATEST'}",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": _json(event.payload),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", **failed},
        "responsePayload": _json(outcome.payload),
    }


def _json(text: bytes) -> Any:
    try:
        return json.loads(text or b"null")
    except ValueError:
        return text.decode("utf-8", "replace")
