"""How the gateway reaches functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from emulator.engine.invocation import Outcome
from emulator.engine.lambda_errors import REQUEST_LIMIT_BYTES


class UnknownFunctionError(Exception):
    """There is no function of that logical id."""


class Functions(Protocol):
    """Runs functions by their logical ids."""

    async def invoke(self, function: str, event: bytes, trace_id: str) -> Outcome:
        """Run one invocation to its end. Raises `UnknownFunctionError`."""


class Invoked(NamedTuple):
    """What came of an invocation. Without an `outcome` the event was too large, or the function is not there."""

    outcome: Outcome | None
    is_too_large: bool = False


class Invocations:
    """Runs invocations with API Gateway's own time limit, which does not end the invocation itself."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    async def invoke(
        self, function: str, event: bytes, trace_id: str, *, limit_seconds: float, on_timeout: Callable[[], None]
    ) -> Invoked:
        """Run `function`. When it takes longer than the limit `on_timeout` is called, and the result comes in the end.

        A caller that has answered by then drops the result.
        """
        if len(event) > REQUEST_LIMIT_BYTES:
            return Invoked(None, is_too_large=True)
        # A timer, not a task and its cancellation: almost no invocation takes that long, and each would pay.
        timer = asyncio.get_running_loop().call_later(limit_seconds, on_timeout)
        try:
            return Invoked(await self._functions.invoke(function, event, trace_id))
        except UnknownFunctionError:
            return Invoked(None)
        finally:
            timer.cancel()
