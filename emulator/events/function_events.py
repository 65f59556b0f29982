"""Where the AWS endpoint hands events to the functions of the template: Lambda's Invoke on a port of this emulator.

The endpoint has a forwarder for each function (`emulator/aws/resources/lambda_function.py`). It posts what a queue, a
stream, a topic, a rule, a schedule, a bucket, a state machine or a caller of Invoke sends, and the function runs in the
same environments as for a request over HTTP. An asynchronous event (`X-Amz-Invocation-Type: Event`) is taken at once.

Source: AWS Lambda API Reference, "Invoke" (path, headers, status 202, 404 and 413).
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from emulator.aws.destinations import Message, Settings
from emulator.aws.ministack_deliveries import DENIED_DELIVERY_HEADER
from emulator.engine.function import Function
from emulator.engine.invocation import Outcome, new_request_id, trace_id_of
from emulator.engine.lambda_errors import REQUEST_LIMIT_BYTES
from emulator.engine.running_function import RunningFunctions
from emulator.events.async_invocations import AsyncInvocations, Event
from emulator.gateway.engine_functions import EngineFunctions, OutputLog
from emulator.http_server import HttpServer, Request, Response
from emulator.processes.ports import LOOPBACK

log = logging.getLogger(__name__)

_PATH: Final = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations(?:\?(.*))?")
_JSON: Final = (b"content-type", b"application/json")


class FunctionEvents:
    """Listens on a free port of the loopback interface, for processes of this user alone, once it is started.

    Until `serve` it knows no function. A function's first event starts its environment, unless it runs already.
    """

    def __init__(self) -> None:
        self._server = HttpServer(self._take, own_user_only=True)
        self._functions: dict[str, EngineFunctions] = {}
        self._logical_ids: Mapping[str, str] = {}
        self._declared: Mapping[str, Function] = {}
        self._running: RunningFunctions | None = None
        self._log = OutputLog(sys.stderr.fileno())
        self._invocations: set[asyncio.Task[None]] = set()
        self._async_invocations: AsyncInvocations | None = None
        self._denied: set[str] = set()

    @property
    def url(self) -> str:
        """Return where forwarders post to: Lambda's own paths begin after it."""
        return f"http://{LOOPBACK}:{self._server.port}"

    async def start(self) -> None:
        """Listen."""
        await self._server.start(LOOPBACK)

    def serve(
        self,
        running: RunningFunctions,
        declared: Mapping[str, Function],
        logical_ids: Mapping[str, str],
        settings: Callable[[str, str], Settings],
        send: Callable[[str, Message], Awaitable[None]],
    ) -> None:
        """Run `declared` functions, by their logical ids, for events; `logical_ids` tells them by their names.

        `settings` and `send` are those of `AsyncInvocations`.
        """
        self._running, self._declared, self._logical_ids = running, declared, logical_ids
        self._async_invocations = AsyncInvocations(self._attempt, settings, send)

    async def stop(self) -> None:
        """Answer no more, and let the environments go."""
        await self._server.stop()
        for task in self._invocations:
            task.cancel()
        await asyncio.gather(*self._invocations, return_exceptions=True)
        functions, self._functions = self._functions, {}
        await asyncio.gather(*(one.stop() for one in functions.values()))

    def _take(self, request: Request) -> None:
        path = _PATH.fullmatch(request.target.decode("ascii", "replace"))
        name = unquote(path[1]) if path else ""
        logical_id = self._logical_ids.get(name, "")
        if path is None or request.method != "POST" or logical_id not in self._declared:
            request.respond(_error(404, "ResourceNotFoundException", f"There is no function {name}."))
        elif denied := request.header(DENIED_DELIVERY_HEADER.encode()):
            self._say_denied(logical_id, json.loads(denied))
            request.respond(Response(204, (), b""))
        elif request.is_too_large or len(request.body) > REQUEST_LIMIT_BYTES:
            sentence = f"An event has at most {REQUEST_LIMIT_BYTES} bytes."
            request.respond(_error(413, "RequestEntityTooLargeException", sentence))
        elif request.header(b"x-amz-invocation-type") == b"Event" and self._async_invocations is not None:
            qualifier = "".join(parse_qs(path[2] or "").get("Qualifier", []))
            arn, request_id = self._declared[logical_id].arn, new_request_id()
            event = Event(logical_id, name, qualifier, arn, request.body, request_id, _trace_id(request))
            self._keep(self._async_invocations.run(event))
            request.respond(Response(202, (), b""))
        else:
            self._keep(self._invoke(logical_id, request))

    def _keep(self, invocation: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(invocation)
        self._invocations.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._invocations.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("An event is lost: %s", error)

    async def _invoke(self, logical_id: str, request: Request) -> None:
        outcome = await self._function(logical_id).invoke(logical_id, request.body, _trace_id(request))
        failed = ((b"x-amz-function-error", b"Unhandled"),) if outcome.is_error else ()
        request.respond(Response(200, (_JSON, *failed), outcome.payload))

    async def _attempt(self, event: Event) -> Outcome:
        return await self._function(event.function).invoke(event.function, event.payload, event.trace_id)

    def _say_denied(self, logical_id: str, denied: Mapping[str, str]) -> None:
        """Say once for each source that a policy keeps its events from the function."""
        source, principal = denied["source"], denied["principal"]
        if principal.endswith(".amazonaws.com"):
            remedy = f"the template lacks an AWS::Lambda::Permission for {principal} with the SourceArn {source}"
        else:
            remedy = f"{principal.rpartition('/')[2]} lacks lambda:InvokeFunction on {denied['target']}"
        sentence = f"{logical_id} gets nothing from {source or principal}: {remedy}."
        if sentence not in self._denied:
            self._denied.add(sentence)
            log.warning(sentence)

    def _function(self, logical_id: str) -> EngineFunctions:
        """Return the function, running or about to be started."""
        if logical_id not in self._functions:
            assert self._running is not None  # noqa: S101 `serve` gave it together with the functions
            own = EngineFunctions(self._running, {logical_id: self._declared[logical_id]}, self._log)
            own.start()
            self._functions[logical_id] = own
        return self._functions[logical_id]


def _trace_id(request: Request) -> str:
    given = (request.header(b"x-amzn-trace-id") or b"").decode("ascii", "replace")
    return given or trace_id_of(new_request_id())


def _error(status: int, kind: str, sentence: str) -> Response:
    body = json.dumps({"Type": "User", "Message": sentence}).encode()
    return Response(status, (_JSON, (b"x-amzn-errortype", kind.encode())), body)
