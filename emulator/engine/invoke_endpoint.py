"""The port of a container where SAM CLI posts events, as to the Runtime Interface Emulator.

Source: AWS Lambda API Reference, "Invoke" (path 2015-03-31/functions/function/invocations).

After a response SAM waits up to a second for an event that the container's log thread sets when it sees a REPORT line,
and then clears it (`Container.wait_for_result`). The event is one per container: when two requests overlap, one may
clear what was set for the other, which then waits the whole second. So the REPORT line of an invocation that is alone
is written before its response, and that of one in company after it, when SAM has closed the connection and its thread
waits or is about to.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from aiohttp import web

from emulator.engine import api_gateway, lambda_errors
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.invoker import Result
from emulator.engine.log_stream import LogStream

PATH = "/2015-03-31/functions/{name}/invocations"
_READ_LIMIT_BYTES = 64 * 1024 * 1024
_TAIL_SECONDS = 0.005
_CLOSE_LIMIT_SECONDS = 0.25
_SETTLE_SECONDS = 0.003
_MOST_SETTLES = 8


class Runs(Protocol):
    """What runs an invocation."""

    async def invoke(self, invocation: Invocation) -> Result:
        """Run `invocation` to its end."""


class Company:
    """Tells which requests of a container overlap, as SAM sees them: until a little after their connection closed."""

    def __init__(self) -> None:
        self._present: set[object] = set()
        self._overlapped: set[object] = set()

    def enter(self) -> object:
        """Note a request that begins; return what stands for it."""
        request = object()
        self._present.add(request)
        if len(self._present) > 1:
            self._overlapped |= self._present
        return request

    def has_company(self, request: object) -> bool:
        """Tell whether another request was there at any time since this one began."""
        return request in self._overlapped

    @property
    def size(self) -> int:
        """Return how many requests there are now."""
        return len(self._present)

    def leave(self, request: object) -> None:
        """Note that a request is over."""
        self._present.discard(request)
        self._overlapped.discard(request)


class InvokeEndpoint:
    """Serves the invocations of one container on a port of this machine."""

    def __init__(self, function: Function, runs: Runs, log: LogStream) -> None:
        self._function = function
        self._runs = runs
        self._log = log
        self._company = Company()
        self._runner: web.AppRunner | None = None
        self._reports: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen where SAM CLI will call. Raises `OSError` when something else listens there."""
        app = web.Application(client_max_size=_READ_LIMIT_BYTES)
        app.router.add_post(PATH, self._invoke)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._function.host, self._function.port, backlog=512).start()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop listening; an answer under way gets a second."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()
        for report in list(self._reports):
            with contextlib.suppress(asyncio.CancelledError):
                await report

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        present = self._company.enter()
        answered = False
        try:
            try:
                raw = await request.read()
            except web.HTTPRequestEntityTooLarge:
                return _too_large(from_start_api=True)
            invocation = Invocation(
                event=b"",
                timeout_seconds=self._function.timeout_seconds,
                function_arn=self._function.arn,
                content_type=request.content_type,
                client_context=request.headers.get("X-Amz-Client-Context"),
            )
            event = api_gateway.correct(raw, invocation.trace_id())
            if len(event.body) > lambda_errors.REQUEST_LIMIT_BYTES:
                return _too_large(from_start_api=event.from_start_api)
            result = await self._runs.invoke(invocation.carrying(event.body))
            response = _response(invocation, result.outcome, from_start_api=event.from_start_api)
            if not self._company.has_company(present):
                self._log.write(result.report)
                self._after_close(request, present, None)
            else:
                self._after_close(request, present, result.report)
            answered = True
            return response
        finally:
            if not answered:
                self._company.leave(present)

    def _after_close(self, request: web.Request, present: object, report: str | None) -> None:
        task = asyncio.create_task(self._report_after_close(request, present, report))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def _report_after_close(self, request: web.Request, present: object, report: str | None) -> None:
        waited = 0.0
        while waited < _CLOSE_LIMIT_SECONDS and not _is_closed(request):
            await asyncio.sleep(0.001)
            waited += 0.001
        if report is not None:
            # The more of SAM's threads share its interpreter, the later this one gets to wait.
            await asyncio.sleep(_SETTLE_SECONDS * min(self._company.size, _MOST_SETTLES))
            self._log.write(report)
        await asyncio.sleep(_TAIL_SECONDS)
        self._company.leave(present)


def _is_closed(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _response(invocation: Invocation, outcome: Outcome, *, from_start_api: bool) -> web.Response:
    payload = outcome.payload
    headers = {"X-Amzn-RequestId": invocation.request_id, "X-Amz-Executed-Version": "$LATEST"}
    if outcome.is_error:
        headers["X-Amz-Function-Error"] = "Unhandled"
        if from_start_api:
            payload = api_gateway.recognisable_error(payload)
    return web.Response(body=payload, content_type="application/json", headers=headers)


def _too_large(*, from_start_api: bool) -> web.Response:
    if from_start_api:
        return web.Response(body=api_gateway.request_too_large(), content_type="application/json")
    headers = {"X-Amzn-ErrorType": "RequestEntityTooLargeException"}
    body = lambda_errors.request_too_large()
    return web.Response(status=413, body=body, content_type="application/json", headers=headers)
