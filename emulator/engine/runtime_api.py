"""The Lambda Runtime API of one execution environment.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" (version 2018-06-01); for
streamed responses "Building a custom runtime for AWS Lambda", "Response streaming".
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable

from emulator.engine import lambda_errors
from emulator.engine.invocation import Invocation, Outcome
from emulator.http_server import Header, HttpServer, Limits, Request, Response

_RUNTIME = b"/2018-06-01/runtime/"
_INVOCATION = _RUNTIME + b"invocation/"
_NEXT = _INVOCATION + b"next"
_JSON: Header = (b"content-type", b"application/json")
_ACCEPTED = Response(202, (_JSON,), b'{"status":"OK"}\n')
_HEAD_BYTES = 2 * 1024 * 1024
"""The cause of an error comes in a header, which awslambdaric lets grow to a megabyte."""


class RuntimeApi:
    """Hands invocations to a runtime and takes their outcomes.

    `initialised` is done when the runtime asks for its first event; it holds the payload of an init error, or None.
    """

    def __init__(self, before_outcome: Callable[[], None]) -> None:
        """Call `before_outcome` as soon as the runtime delivers: what the function wrote is in its pipe by then."""
        loop = asyncio.get_running_loop()
        self.initialised: asyncio.Future[bytes | None] = loop.create_future()
        self.address = ""
        self.delivered = False
        """Whether the runtime has taken the invocation."""
        self._before_outcome = before_outcome
        self._waiting: Request | None = None
        self._next: Invocation | None = None
        self._current: Invocation | None = None
        self._outcome: asyncio.Future[Outcome] = loop.create_future()
        limits = Limits(head_bytes=_HEAD_BYTES, body_bytes=lambda_errors.RESPONSE_LIMIT_BYTES)
        self._server = HttpServer(self._handle, limits=limits, own_user_only=True)
        self._secret = secrets.token_urlsafe(18)

    async def start(self) -> None:
        """Listen on a free port of the loopback interface.

        `address` is then where: host, port, and a path that only the runtime of this environment knows. Whoever else
        connects takes no event from it and answers none.
        """
        await self._server.start("127.0.0.1")
        self.address = f"127.0.0.1:{self._server.port}/{self._secret}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def invoke(self, invocation: Invocation) -> asyncio.Future[Outcome]:
        """Hand `invocation` to the runtime, now or at its next request; return the future of its outcome."""
        self._outcome = asyncio.get_running_loop().create_future()
        self.delivered = False
        self._next = invocation
        self._hand_out()
        return self._outcome

    def _handle(self, request: Request) -> None:
        address, _, target = request.target[1:].partition(b"/")
        target = b"/" + target
        if not hmac.compare_digest(address, self._secret.encode()):
            request.respond(_error_response(404, "NotFound", "The Runtime API has no such path"))
        elif target == _NEXT:
            if not self.initialised.done():
                self.initialised.set_result(None)
            self._waiting = request
            request.on_gone = self._forget_waiting
            self._hand_out()
        elif target.startswith(_INVOCATION) and request.method == "POST":
            request_id, _, what = target[len(_INVOCATION) :].partition(b"/")
            response = self._take(request, request_id.decode("latin-1"), what)
            # In the loop's next turn: whoever waits for the outcome writes its answer first.
            asyncio.get_running_loop().call_soon(request.respond, response)
        elif target in (_RUNTIME + b"init/error", _RUNTIME + b"restore/error") and request.method == "POST":
            self._take_init_error(request)
            request.respond(_ACCEPTED)
        elif target == _RUNTIME + b"restore/next":
            request.respond(Response(200))
        else:
            request.respond(_error_response(404, "NotFound", "The Runtime API has no such path"))

    def _hand_out(self) -> None:
        request, invocation = self._waiting, self._next
        if request is None or invocation is None:
            return
        self._waiting = self._next = None
        request.on_gone = None
        self._current = invocation
        self.delivered = True
        deadline = int((time.time() + invocation.timeout_seconds) * 1000)
        headers = [
            _JSON,
            (b"lambda-runtime-aws-request-id", invocation.request_id.encode()),
            (b"lambda-runtime-deadline-ms", b"%d" % deadline),
            (b"lambda-runtime-invoked-function-arn", invocation.function_arn.encode()),
            (b"lambda-runtime-trace-id", invocation.trace_id.encode()),
        ]
        if invocation.client_context is not None:
            headers.append((b"lambda-runtime-client-context", invocation.client_context.encode("latin-1", "replace")))
        if invocation.tenant_id is not None:
            headers.append((b"lambda-runtime-aws-tenant-id", invocation.tenant_id.encode("latin-1", "replace")))
        request.respond(Response(200, headers, invocation.event))

    def _forget_waiting(self) -> None:
        self._waiting = None

    def _take(self, request: Request, request_id: str, what: bytes) -> Response:
        if what not in (b"response", b"error"):
            return _error_response(404, "NotFound", "The Runtime API has no such path")
        if request.is_too_large:
            self._settle(request_id, Outcome.of(lambda_errors.response_too_large()))
            return _error_response(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
        if not self._settle(request_id, _outcome(request, is_error=what == b"error")):
            return _error_response(400, "InvalidRequestID", "Invalid request ID")
        return _ACCEPTED

    def _take_init_error(self, request: Request) -> None:
        if not self.initialised.done():
            self._before_outcome()
            payload = lambda_errors.response_too_large().body() if request.is_too_large else request.body
            self.initialised.set_result(payload or b"{}")

    def _settle(self, request_id: str, outcome: Outcome) -> bool:
        current = self._current
        if current is None or current.request_id != request_id:
            return False
        self._current = None
        self._before_outcome()
        if not self._outcome.done():
            self._outcome.set_result(outcome)
        return True


def _outcome(request: Request, *, is_error: bool) -> Outcome:
    """Return what the runtime delivered; a stream that broke off names its error in the trailers."""
    if is_error or request.header(b"lambda-runtime-function-response-mode") != b"streaming":
        return Outcome(request.body, is_error=is_error)
    trailers = {name.lower(): value for name, value in request.trailers}
    kind = trailers.get(b"lambda-runtime-function-error-type")
    if kind is None:
        return Outcome(_buffered(request))
    try:
        error = base64.b64decode(trailers.get(b"lambda-runtime-function-error-body", b""), validate=True)
    except ValueError:
        error = b""
    return Outcome(error or json.dumps({"errorType": kind.decode("latin-1")}).encode(), is_error=True)


def _buffered(request: Request) -> bytes:
    """Return a streamed response as Invoke gives it to a caller that does not stream.

    With the content type of HTTP integrations the stream begins with a JSON prelude (status, headers, cookies), which
    eight zero bytes end; the body follows.
    """
    if request.header(b"content-type") != b"application/vnd.awslambda.http-integration-response":
        return request.body
    prelude, zeros, body = request.body.partition(b"\0" * 8)
    try:
        answer = json.loads(prelude)
    except ValueError:
        return request.body
    if not zeros or not isinstance(answer, dict):
        return request.body
    answer |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return json.dumps(answer).encode()


def _error_response(status: int, error_type: str, message: str) -> Response:
    body = json.dumps({"errorType": error_type, "errorMessage": message})
    return Response(status, (_JSON,), body.encode())
