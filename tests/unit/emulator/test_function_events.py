"""The port for events refuses what is no function's; tests/integration/emulator/test_function_events.py runs one."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from emulator.function_events import FunctionEvents


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
