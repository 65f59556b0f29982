"""The port for events refuses what is no function's; tests/integration/emulator/test_function_events.py runs one."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any, cast

import pytest

from emulator.aws.ministack_deliveries import DENIED_DELIVERY_HEADER
from emulator.events.function_events import FunctionEvents


async def post(path: str, body: bytes = b"{}", method: str = "POST") -> tuple[int, dict[str, Any]]:
    """Return what a port without functions answers."""
    events = FunctionEvents()
    await events.start()
    try:
        request = urllib.request.Request(f"{events.url}{path}", body, method=method)
        await asyncio.to_thread(urllib.request.urlopen, request)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    finally:
        await events.stop()
    raise AssertionError("it was answered")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/2015-03-31/functions/nobody/invocations", "POST"),
        ("/2015-03-31/functions/nobody/invocations", "PUT"),
        ("/", "POST"),
    ],
)
def test_what_is_no_function_is_not_found(path: str, method: str) -> None:
    status, body = asyncio.run(post(path, method=method))
    assert status == 404
    assert body["Message"].startswith("There is no function")


def test_it_can_be_stopped_twice() -> None:
    async def run() -> None:
        events = FunctionEvents()
        await events.start()
        await events.stop()
        await events.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("principal", "source", "remedy"),
    [
        (
            "sns.amazonaws.com",
            "arn:aws:sns:us-east-1:1:News",
            (
                "the template lacks an AWS::Lambda::Permission for sns.amazonaws.com with the SourceArn "
                "arn:aws:sns:us-east-1:1:News."
            ),
        ),
        (
            "arn:aws:iam::1:role/ClockRole",
            "arn:aws:scheduler:us-east-1:1:schedule/default/Clock",
            "ClockRole lacks lambda:InvokeFunction on arn:aws:lambda:us-east-1:1:function:shop-Orders.",
        ),
    ],
)
def test_a_delivery_that_a_policy_denies_is_said_once_with_the_remedy(
    principal: str, source: str, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    denied = {"principal": principal, "source": source, "target": "arn:aws:lambda:us-east-1:1:function:shop-Orders"}

    async def tell() -> None:
        events = FunctionEvents()
        await events.start()
        nothing: Any = cast(Any, None)
        events.serve(nothing, {"Orders": nothing}, {"shop-Orders": "Orders"}, nothing, nothing)
        try:
            for _ in range(2):
                url = f"{events.url}/2015-03-31/functions/shop-Orders/invocations"
                request = urllib.request.Request(url, b"", {DENIED_DELIVERY_HEADER: json.dumps(denied)})
                (await asyncio.to_thread(urllib.request.urlopen, request)).close()
        finally:
            await events.stop()

    asyncio.run(tell())
    assert caplog.messages == [f"Orders gets nothing from {source}: {remedy}"]
