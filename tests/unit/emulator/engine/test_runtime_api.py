"""The Runtime API over a real socket, with the bytes that awslambdaric and other runtimes send."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable

import pytest

from emulator.engine import lambda_errors
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.log_stream import LogStream
from emulator.engine.runtime_api import RuntimeApi

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:Function"


class Runtime:
    """A runtime's connection, which it keeps for everything."""

    def __init__(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path.encode()
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        method, _, rest = data.partition(b" ")
        self._writer.write(method + b" " + (self._path + rest if rest.startswith(b"/2018-") else rest))
        await self._writer.drain()

    async def post(self, path: str, body: bytes, headers: bytes = b"") -> int:
        head = f"POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\ncontent-length: {len(body)}\r\n".encode()
        await self.send(head + headers + b"\r\n" + body)
        return (await self.answer())[0]

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(60):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self._reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers, body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def run(scenario: Callable[[RuntimeApi, Runtime], Awaitable[None]]) -> None:
    async def prepared() -> None:
        api = RuntimeApi(lambda: None)
        await api.start()
        try:
            runtime = await connect(api)
            await scenario(api, runtime)
            await runtime.close()
        finally:
            await api.stop()

    asyncio.run(prepared())


async def connect(api: RuntimeApi, path: str | None = None) -> Runtime:
    address, _, secret = api.address.partition("/")
    host, _, port = address.partition(":")
    return Runtime(f"/{secret}" if path is None else path, *await asyncio.open_connection(host, int(port)))


def invocation(event: bytes = b'{"a":1}', **more: str) -> Invocation:
    return Invocation(event, 3, ARN, LogStream(), **more)  # type: ignore[arg-type]


def test_an_invocation_is_handed_to_a_runtime_that_waits_and_its_answer_taken() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        await runtime.send(NEXT)
        assert await asyncio.wait_for(api.initialised, 60) is None
        invoked = invocation(client_context="eyJ9")
        outcome = api.invoke(invoked)
        status, headers, event = await runtime.answer()
        assert (status, event) == (200, b'{"a":1}')
        assert headers["lambda-runtime-aws-request-id"] == invoked.request_id
        assert headers["lambda-runtime-invoked-function-arn"] == ARN
        assert headers["lambda-runtime-trace-id"] == invoked.trace_id
        assert headers["lambda-runtime-client-context"] == "eyJ9"
        assert int(headers["lambda-runtime-deadline-ms"]) > 0
        assert await runtime.post(f"invocation/{invoked.request_id}/response", b'"done"') == 202
        assert await outcome == Outcome(b'"done"')

    run(scenario)


def test_an_invocation_waits_for_the_runtime_to_ask() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        outcome = api.invoke(invocation())
        await asyncio.sleep(0.02)
        assert not api.delivered
        await runtime.send(NEXT)
        assert (await runtime.answer())[0] == 200
        assert api.delivered
        assert not outcome.done()

    run(scenario)


def test_a_runtime_that_left_while_it_waited_takes_no_invocation_with_it() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        await runtime.send(NEXT)
        await asyncio.sleep(0.02)
        await runtime.close()
        await asyncio.sleep(0.02)
        api.invoke(invocation())
        assert not api.delivered
        again = await connect(api)
        await again.send(NEXT)
        assert (await again.answer())[2] == b'{"a":1}'
        await again.close()

    run(scenario)


@pytest.mark.parametrize("path", ["", "/", "/guess", "/2018-06-01/runtime"])
@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /2018-06-01/runtime/invocation/next",
        b"POST /2018-06-01/runtime/invocation/some-id/response",
        b"POST /2018-06-01/runtime/init/error",
        b"GET /2018-06-01/runtime/restore/next",
    ],
)
def test_who_does_not_know_the_address_gets_no_event_and_answers_none(path: str, request_line: bytes) -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        api.invoke(invocation())
        stranger = await connect(api, path)
        await stranger.send(request_line + b" HTTP/1.1\r\nHost: x\r\ncontent-length: 0\r\n\r\n")
        assert (await stranger.answer())[0] == 404
        await stranger.close()
        assert not api.delivered
        assert not api.initialised.done()

    run(scenario)


def test_an_error_is_the_functions_own() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        outcome, request_id = await delivered(api, runtime)
        error = b'{"errorType":"ValueError","errorMessage":"no"}'
        cause = b"lambda-runtime-function-xray-error-cause: " + b"x" * 500_000 + b"\r\n"
        assert await runtime.post(f"invocation/{request_id}/error", error, cause) == 202
        assert await outcome == Outcome(error, is_error=True)

    run(scenario)


async def delivered(api: RuntimeApi, runtime: Runtime) -> tuple[asyncio.Future[Outcome], str]:
    invoked = invocation()
    outcome = api.invoke(invoked)
    await runtime.send(NEXT)
    await runtime.answer()
    return outcome, invoked.request_id


def test_an_answer_to_another_invocation_is_refused() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        outcome, request_id = await delivered(api, runtime)
        assert await runtime.post("invocation/another/response", b"1") == 400
        assert not outcome.done()
        assert await runtime.post(f"invocation/{request_id}/response", b"1") == 202
        assert await runtime.post(f"invocation/{request_id}/response", b"2") == 400
        assert (await outcome).payload == b"1"

    run(scenario)


def test_an_answer_over_the_limit_ends_the_invocation_and_the_next_is_served() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        outcome, request_id = await delivered(api, runtime)
        body = b"x" * (lambda_errors.RESPONSE_LIMIT_BYTES + 1)
        assert await runtime.post(f"invocation/{request_id}/response", body) == 413
        error = (await outcome).error
        assert error is not None
        assert error.error_type == "Function.ResponseSizeTooLarge"
        outcome, request_id = await delivered(api, runtime)
        whole = b"x" * lambda_errors.RESPONSE_LIMIT_BYTES
        assert await runtime.post(f"invocation/{request_id}/response", whole) == 202
        assert (await outcome).payload == whole

    run(scenario)


@pytest.mark.parametrize("path", ["init/error", "restore/error"])
def test_an_init_error_is_what_the_runtime_said(path: str) -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        assert await runtime.post(path, b'{"errorType":"Runtime.ImportModuleError"}') == 202
        assert await api.initialised == b'{"errorType":"Runtime.ImportModuleError"}'

    run(scenario)


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    parts = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join(parts) + b"0\r\n" + trailers + b"\r\n"


STREAM = b"Host: x\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (b"", chunked(b"one ", b"two"), Outcome(b"one two")),
        (
            b"Content-Type: application/vnd.awslambda.http-integration-response\r\n",
            chunked(b'{"statusCode":201}', b"\0" * 8, b"hello"),
            Outcome(
                json.dumps(
                    {"statusCode": 201, "body": base64.b64encode(b"hello").decode(), "isBase64Encoded": True}
                ).encode()
            ),
        ),
        (
            b"",
            chunked(
                b"half",
                trailers=b"Lambda-Runtime-Function-Error-Type: Oops\r\n"
                b"Lambda-Runtime-Function-Error-Body: " + base64.b64encode(b'{"errorType":"Oops"}') + b"\r\n",
            ),
            Outcome(b'{"errorType":"Oops"}', is_error=True),
        ),
    ],
)
def test_a_stream_is_answered_whole(headers: bytes, body: bytes, expected: Outcome) -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        outcome, request_id = await delivered(api, runtime)
        head = f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1\r\n".encode()
        await runtime.send(head + STREAM + headers + b"\r\n" + body)
        assert (await runtime.answer())[0] == 202
        assert await outcome == expected

    run(scenario)


def test_another_path_is_not_found() -> None:
    async def scenario(api: RuntimeApi, runtime: Runtime) -> None:
        assert await runtime.post("invocation/x/else", b"") == 404
        assert await runtime.post("else", b"") == 404

    run(scenario)
