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
import re
from dataclasses import replace
from typing import Protocol

from emulator.engine import api_gateway, lambda_errors
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.log_stream import LogStream
from emulator.http_server import Header, HttpServer, Limits, Request, Response
from emulator.metrics import RouteMetrics

_PATH = re.compile(rb"/2015-03-31/functions/[^/?]+/invocations(?:\?.*)?")
_LIMITS = Limits(body_bytes=64 * 1024 * 1024)
_JSON: Header = (b"content-type", b"application/json")
_IMAGE: Header = (b"content-type", b"image/unknown")
"""SAM CLI passes bytes on as they are when "image" is in their type, and fails on all others that are no text."""
_STOP_SECONDS = 1.0
_TAIL_SECONDS = 0.005
_CLOSE_LIMIT_SECONDS = 0.25
_SETTLE_SECONDS = 0.003
_MOST_SETTLES = 8


class Runs(Protocol):
    """What runs an invocation."""

    async def invoke(self, invocation: Invocation) -> Outcome:
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
    """Serves the invocations of one container on a port of this machine.

    With `is_start_lambda` the container is one of `sam local start-lambda`. `exposed_headers` are those of the API's
    CORS, None when it has none.
    """

    def __init__(
        self,
        function: Function,
        runs: Runs,
        log: LogStream,
        *,
        is_start_lambda: bool = False,
        exposed_headers: str | None = None,
        routes: RouteMetrics | None = None,
    ) -> None:
        self._function = function
        self._exposed_headers = exposed_headers
        self._is_start_lambda = is_start_lambda
        self._runs = runs
        self._log = log
        self._company = Company()
        self._routes = routes
        self._server = HttpServer(self._handle, limits=_LIMITS, own_user_only=True)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen where SAM CLI will call. Raises `OSError` when something else listens there."""
        await self._server.start(self._function.host, self._function.port)

    async def stop(self) -> None:
        """Stop listening; an answer under way gets a second."""
        await self._server.stop(_STOP_SECONDS)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _handle(self, request: Request) -> None:
        if not _PATH.fullmatch(request.target):
            request.respond(Response(404, (_JSON,), b'{"message":"Not Found"}'))
        elif request.method != "POST":
            request.respond(Response(405, (_JSON, (b"allow", b"POST")), b'{"message":"Method Not Allowed"}'))
        elif request.is_too_large:
            request.respond(_too_large(from_start_api=True))
        else:
            task = asyncio.create_task(self._invoke(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _invoke(self, request: Request) -> None:
        report: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        invocation = Invocation(
            event=request.body,
            timeout_seconds=self._function.timeout_seconds,
            function_arn=self._function.arn,
            log=self._log,
            client_context=_text(request.header(b"x-amz-client-context")),
            tenant_id=_text(request.header(b"x-amz-tenant-id")),
            on_report=lambda line: None if report.done() else report.set_result(line),
        )
        event = api_gateway.correct(request.body, invocation.trace_id)
        if len(event.body) > lambda_errors.REQUEST_LIMIT_BYTES:
            request.respond(_too_large(from_start_api=event.from_start_api))
            return
        invocation.event = event.body
        present = self._company.enter()
        try:
            outcome = await self._runs.invoke(invocation)
            if event.has_origin and self._exposed_headers is not None and not outcome.is_error:
                outcome = replace(
                    outcome, payload=api_gateway.with_exposed_headers(outcome.payload, self._exposed_headers)
                )
            response = _response(invocation, outcome, as_sam_knows_errors=event.from_start_api or self._is_start_lambda)
            line = await report
            if not self._company.has_company(present):
                self._log.write(line)
                request.respond(response)
                await self._closed(request)
            else:
                request.respond(response)
                await self._closed(request)
                # The more of SAM's threads share its interpreter, the later this one gets to wait.
                await asyncio.sleep(_SETTLE_SECONDS * min(self._company.size, _MOST_SETTLES))
                self._log.write(line)
            if self._routes is not None and event.from_start_api:
                status = api_gateway.status(outcome.payload, is_error=outcome.is_error)
                self._routes.add(event.route_key, status)
            await asyncio.sleep(_TAIL_SECONDS)
        finally:
            self._company.leave(present)

    async def _closed(self, request: Request) -> None:
        waited = 0.0
        while waited < _CLOSE_LIMIT_SECONDS and not request.is_connection_closing:
            await asyncio.sleep(0.001)
            waited += 0.001


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _response(invocation: Invocation, outcome: Outcome, *, as_sam_knows_errors: bool) -> Response:
    payload = outcome.payload
    headers = [
        _JSON if _is_text(payload) else _IMAGE,
        (b"x-amzn-requestid", invocation.request_id.encode()),
        (b"x-amz-executed-version", b"$LATEST"),
    ]
    if outcome.is_error:
        headers.append((b"x-amz-function-error", b"Unhandled"))
        if as_sam_knows_errors:
            payload = api_gateway.recognisable_error(payload)
    return Response(200, headers, payload)


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _too_large(*, from_start_api: bool) -> Response:
    if from_start_api:
        return Response(200, (_JSON,), api_gateway.request_too_large())
    error: Header = (b"x-amzn-errortype", b"RequestEntityTooLargeException")
    return Response(413, (_JSON, error), lambda_errors.request_too_large())
