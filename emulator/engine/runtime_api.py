"""The Lambda Runtime API of one execution environment.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" (version 2018-06-01).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

from aiohttp import web

from emulator.engine import lambda_errors
from emulator.engine.invocation import Invocation, Outcome

_VERSION = "/2018-06-01/runtime"
_ACCEPTED = {"status": "OK"}


class RuntimeApi:
    """Hands invocations to a runtime and takes their outcomes.

    `initialised` is done when the runtime asks for its first event; it holds the payload of an init error, or None.
    """

    def __init__(self, before_outcome: Callable[[], None]) -> None:
        """Call `before_outcome` as soon as the runtime delivers: what the function wrote is in its pipe by then."""
        loop = asyncio.get_running_loop()
        self.initialised: asyncio.Future[bytes | None] = loop.create_future()
        self.address = ""
        self._before_outcome = before_outcome
        self._next: asyncio.Future[Invocation] = loop.create_future()
        self._current: Invocation | None = None
        self._outcome: asyncio.Future[Outcome] = loop.create_future()
        self.delivered = False
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback interface; `address` is then what AWS_LAMBDA_RUNTIME_API holds."""
        app = web.Application(client_max_size=2 * lambda_errors.RESPONSE_LIMIT_BYTES)
        app.router.add_get(_VERSION + "/invocation/next", self._hand_out)
        app.router.add_post(_VERSION + "/invocation/{request_id}/response", self._take_response)
        app.router.add_post(_VERSION + "/invocation/{request_id}/error", self._take_error)
        app.router.add_post(_VERSION + "/init/error", self._take_init_error)
        app.router.add_get(_VERSION + "/restore/next", _restored)
        app.router.add_post(_VERSION + "/restore/error", self._take_init_error)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, keepalive_timeout=24 * 3600, shutdown_timeout=0
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def invoke(self, invocation: Invocation) -> asyncio.Future[Outcome]:
        """Hand `invocation` out at the runtime's next request; return the future of its outcome."""
        self._outcome = asyncio.get_running_loop().create_future()
        self.delivered = False
        self._next.set_result(invocation)
        return self._outcome

    async def _hand_out(self, _: web.Request) -> web.StreamResponse:
        if not self.initialised.done():
            self.initialised.set_result(None)
        invocation = await asyncio.shield(self._next)
        self._next = asyncio.get_running_loop().create_future()
        self._current = invocation
        self.delivered = True
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout_seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id(),
        }
        if invocation.client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return web.Response(body=invocation.event, content_type=invocation.content_type, headers=headers)

    async def _take_response(self, request: web.Request) -> web.StreamResponse:
        payload = await _read(request, lambda_errors.RESPONSE_LIMIT_BYTES)
        if payload is None:
            self._settle(request, Outcome.of(lambda_errors.response_too_large()))
            return _refusal(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
        if not self._settle(request, Outcome(payload)):
            return _refusal(400, "InvalidRequestID", "Invalid request ID")
        return web.json_response(_ACCEPTED, status=202)

    async def _take_error(self, request: web.Request) -> web.StreamResponse:
        payload = await _read(request, lambda_errors.RESPONSE_LIMIT_BYTES)
        if payload is None:
            self._settle(request, Outcome.of(lambda_errors.response_too_large()))
            return _refusal(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
        if not self._settle(request, Outcome(payload, is_error=True)):
            return _refusal(400, "InvalidRequestID", "Invalid request ID")
        return web.json_response(_ACCEPTED, status=202)

    async def _take_init_error(self, request: web.Request) -> web.StreamResponse:
        payload = await _read(request, lambda_errors.RESPONSE_LIMIT_BYTES)
        if not self.initialised.done():
            self._before_outcome()
            self.initialised.set_result(payload or lambda_errors.response_too_large().body())
        return web.json_response(_ACCEPTED, status=202)

    def _settle(self, request: web.Request, outcome: Outcome) -> bool:
        current = self._current
        if current is None or current.request_id != request.match_info["request_id"]:
            return False
        self._current = None
        self._before_outcome()
        if not self._outcome.done():
            self._outcome.set_result(outcome)
        return True


async def _restored(_: web.Request) -> web.StreamResponse:
    return web.Response()


async def _read(request: web.Request, limit: int) -> bytes | None:
    """Return the body; None when it is larger than `limit`, after reading it to its end without keeping it."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            chunks.clear()
        else:
            chunks.append(chunk)
    return b"".join(chunks) if size <= limit else None


def _refusal(status: int, error_type: str, message: str) -> web.StreamResponse:
    body = json.dumps({"errorType": error_type, "errorMessage": message})
    return web.Response(status=status, text=body, content_type="application/json")
