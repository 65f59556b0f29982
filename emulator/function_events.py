"""Where the AWS endpoint hands events to the functions of the template: Lambda's Invoke on a port of this emulator.

The endpoint has a forwarder for each function (`emulator/aws/resources/lambda_function.py`). It posts what a queue, a
stream, a topic, a rule, a schedule, a bucket, a state machine or a caller of Invoke sends, and the function runs in the
same environments as for a request over HTTP.

Source: AWS Lambda API Reference, "Invoke" (path, `X-Amz-Function-Error`, status 404 and 413).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from emulator.engine.function import Function
from emulator.engine.invocation import new_request_id, trace_id_of
from emulator.engine.lambda_errors import REQUEST_LIMIT_BYTES
from emulator.engine.running_function import RunningFunctions
from emulator.gateway.engine_functions import EngineFunctions, OutputLog
from emulator.http_server import HttpServer, Request, Response
from emulator.processes.ports import LOOPBACK

_PATH: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
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

    @property
    def url(self) -> str:
        """Return where forwarders post to: Lambda's own paths begin after it."""
        return f"http://{LOOPBACK}:{self._server.port}"

    async def start(self) -> None:
        """Listen."""
        await self._server.start(LOOPBACK)

    def serve(
        self, running: RunningFunctions, declared: Mapping[str, Function], logical_ids: Mapping[str, str]
    ) -> None:
        """Run `declared` functions, by their logical ids, for events; `logical_ids` tells them by their names."""
        self._running, self._declared, self._logical_ids = running, declared, logical_ids

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
        if request.method != "POST" or self._logical_ids.get(name) not in self._declared:
            request.respond(_error(404, "ResourceNotFoundException", f"There is no function {name}."))
        elif request.is_too_large or len(request.body) > REQUEST_LIMIT_BYTES:
            sentence = f"An event has at most {REQUEST_LIMIT_BYTES} bytes."
            request.respond(_error(413, "RequestEntityTooLargeException", sentence))
        else:
            task = asyncio.create_task(self._invoke(self._logical_ids[name], request))
            self._invocations.add(task)
            task.add_done_callback(self._invocations.discard)

    async def _invoke(self, logical_id: str, request: Request) -> None:
        given = (request.header(b"x-amzn-trace-id") or b"").decode("ascii", "replace")
        trace_id = given or trace_id_of(new_request_id())
        outcome = await self._function(logical_id).invoke(logical_id, request.body, trace_id)
        failed = ((b"x-amz-function-error", b"Unhandled"),) if outcome.is_error else ()
        request.respond(Response(200, (_JSON, *failed), outcome.payload))

    def _function(self, logical_id: str) -> EngineFunctions:
        """Return the function, running or about to be started."""
        if logical_id not in self._functions:
            assert self._running is not None  # noqa: S101 `serve` gave it together with the functions
            own = EngineFunctions(self._running, {logical_id: self._declared[logical_id]}, self._log)
            own.start()
            self._functions[logical_id] = own
        return self._functions[logical_id]


def _error(status: int, kind: str, sentence: str) -> Response:
    body = json.dumps({"Type": "User", "Message": sentence}).encode()
    return Response(status, (_JSON, (b"x-amzn-errortype", kind.encode())), body)
