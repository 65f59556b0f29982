"""What becomes of an event that nobody waits for."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from emulator.aws.destinations import Message, Settings
from emulator.engine.invocation import Outcome
from emulator.events import async_invocations
from emulator.events.async_invocations import AsyncInvocations, Event

EVENT = Event("Orders", "shop-Orders", "", "arn:aws:lambda:us-east-1:1:function:shop-Orders", b'{"a": 1}', "id-1", "t")
FAILED = Outcome(b'{"errorType": "Broken", "errorMessage": "no"}', is_error=True)
DONE = Outcome(b'"done"')
QUEUE, OTHER = "arn:aws:sqs:us-east-1:1:q", "arn:aws:sqs:us-east-1:1:other"


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_invocations, "RETRY_AFTER_SECONDS", (0.01, 0.02))


def run(settings: Settings, *outcomes: Outcome) -> tuple[int, list[Message]]:
    """Return how often the function ran, and what was sent."""
    left, sent = list(outcomes), []

    async def invoke(_: Event) -> Outcome:
        return left.pop(0)

    async def send(function: str, message: Message) -> None:
        assert function == "Orders"
        sent.append(message)

    asyncio.run(AsyncInvocations(invoke, lambda *_: settings, send).run(EVENT))
    return len(outcomes) - len(left), sent


def told(message: Message) -> Any:
    return json.loads(message.body)


def test_an_answer_ends_it() -> None:
    assert run(Settings(), DONE, DONE) == (1, [])


def test_the_third_attempt_is_the_last() -> None:
    assert run(Settings(), FAILED, FAILED, FAILED, FAILED) == (3, [])


def test_a_retry_that_succeeds_is_told_as_a_success() -> None:
    runs, (message,) = run(Settings(on_success=QUEUE, on_failure=OTHER), FAILED, DONE)
    assert (runs, message.target, message.is_success) == (2, QUEUE, True)
    assert told(message)["requestContext"]["approximateInvokeCount"] == 2
    assert told(message)["responsePayload"] == "done"


def test_a_failure_goes_to_the_destination_and_to_the_dead_letters() -> None:
    runs, (destined, letter) = run(Settings(retries=0, on_failure=QUEUE, dead_letters=OTHER), FAILED)
    assert runs == 1
    assert told(destined)["responseContext"]["functionError"] == "Unhandled"
    assert (letter.target, letter.body) == (OTHER, '{"a": 1}')
    assert {name: value["StringValue"] for name, value in letter.attributes.items()} == {
        "RequestID": "id-1",
        "ErrorCode": "200",
        "ErrorMessage": "no",
    }


def test_an_event_that_is_too_old_is_not_tried_again() -> None:
    runs, (message,) = run(Settings(longest_age=0.001, on_failure=QUEUE), FAILED, DONE)
    assert (runs, told(message)["requestContext"]["condition"]) == (1, "EventAgeExceeded")


def test_a_target_that_refuses_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async def invoke(_: Event) -> Outcome:
        return DONE

    async def send(_: str, __: Message) -> None:
        raise OSError("it is not there")

    asyncio.run(AsyncInvocations(invoke, lambda *_: Settings(on_success=QUEUE), send).run(EVENT))
    assert caplog.messages == [f"What became of an event of Orders could not be sent to {QUEUE}: it is not there"]
