"""The HTTP server over a real socket, with the bytes that clients send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from emulator.http_server import HttpServer, Limits, Request, Response

OK = b"HTTP/1.1 200 OK\r\n"


def echo(request: Request) -> None:
    text = f"{request.method} {request.target.decode()} {len(request.body)} {request.is_too_large}".encode()
    request.respond(Response(413 if request.is_too_large else 200, ((b"x-version", request.version.encode()),), text))


def serve(
    work: Callable[[HttpServer], Awaitable[None]],
    handler: Callable[[Request], None] = echo,
    *,
    limits: Limits | None = None,
    allows_half_close: bool = False,
) -> None:
    async def scenario() -> None:
        server = HttpServer(handler, limits=limits, allows_half_close=allows_half_close)
        await server.start("127.0.0.1")
        try:
            await work(server)
        finally:
            await server.stop()
        assert server.connections == set()

    asyncio.run(scenario())


async def talk(server: HttpServer, *parts: bytes, pause: float = 0.01, seconds: float = 2) -> bytes:
    """Send `parts`, each after a pause; return all that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()


def answered(*parts: bytes, limits: Limits | None = None, seconds: float = 2) -> bytes:
    answers: list[bytes] = []

    async def work(server: HttpServer) -> None:
        answers.append(await talk(server, *parts, seconds=seconds))

    serve(work, limits=limits)
    return answers[0]


def test_a_connection_is_kept_until_the_client_wants_it_closed() -> None:
    answer = answered(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.count(OK) == 2
    assert answer.count(b"connection: close\r\n") == 1
    assert answer.endswith(b"\r\n\r\nGET /b 0 False")


def test_http_1_0_is_closed_unless_it_asks_to_be_kept() -> None:
    assert b"connection: close" in answered(b"GET / HTTP/1.0\r\n\r\n")
    kept = answered(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"GET /b HTTP/1.0\r\n\r\n")
    assert kept.count(OK) == 2
    assert b"connection: keep-alive" in kept


def test_a_request_may_come_byte_by_byte() -> None:
    request = b"POST /x HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"
    answer = answered(*(bytes([byte]) for byte in request))
    assert answer.endswith(b"POST /x 3 False")


def test_chunks_are_joined_and_their_trailers_passed_over() -> None:
    body = b"3\r\nabc\r\n2;note=x\r\nde\r\n0\r\nX-Trailer: y\r\n\r\n"
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert answered(head + body).endswith(b"POST /x 5 False")


def test_requests_that_are_sent_ahead_are_answered_in_order() -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(20))
    answer = answered(requests + b"GET /last HTTP/1.0\r\n\r\n")
    assert answer.count(OK) == 21
    positions = [answer.index(b"GET /%d " % number) for number in range(20)]
    assert positions == sorted(positions)


def test_the_answer_to_head_has_the_length_and_no_body() -> None:
    answer = answered(b"HEAD / HTTP/1.0\r\n\r\n")
    assert answer.startswith(OK)
    assert b"content-length: 14\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_content_has_no_length_either(status: int) -> None:
    def handler(request: Request) -> None:
        request.respond(Response(status, (), b"not sent"))

    async def work(server: HttpServer) -> None:
        answer = await talk(server, b"GET / HTTP/1.0\r\n\r\n")
        assert b"content-length" not in answer
        assert answer.endswith(b"\r\n\r\n")

    serve(work, handler)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: header\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(request_bytes: bytes) -> None:
    answer = answered(request_bytes)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"connection: close" in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 3000,
        b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % number for number in range(500)),
    ],
)
def test_a_head_over_the_limit_is_refused(head: bytes) -> None:
    assert answered(head, limits=Limits(head_bytes=2000)).startswith(b"HTTP/1.1 431 ")


def test_a_body_over_the_limit_reaches_the_handler_as_such_and_the_connection_is_kept() -> None:
    large = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n" + b"a" * 300
    answer = answered(large, b"GET /next HTTP/1.0\r\n\r\n", limits=Limits(body_bytes=100))
    assert b"POST /x 0 True" in answer
    assert answer.endswith(b"GET /next 0 False")


def test_a_body_without_end_is_answered_and_the_connection_closed() -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = answered(head, *[b"64\r\n" + b"a" * 100 + b"\r\n"] * 10, limits=Limits(body_bytes=100))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_a_client_that_asks_first_is_told_to_go_on_or_not() -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    assert answered(head % 3, b"abc").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    refused = answered(head % 300, limits=Limits(body_bytes=100))
    assert refused.startswith(b"HTTP/1.1 413 ")


def test_nothing_is_upgraded_and_the_next_request_is_served() -> None:
    upgrade = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    answer = answered(upgrade + b"GET /b HTTP/1.0\r\n\r\n")
    assert answer.startswith(OK)
    assert answer.endswith(b"GET /b 0 False")


@pytest.mark.parametrize("part", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"])
def test_a_client_that_stops_in_the_middle_is_told_so(part: bytes) -> None:
    assert answered(part, limits=Limits(sending_seconds=0.2)).startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_idles_is_closed_without_a_word() -> None:
    assert answered(limits=Limits(idle_seconds=0.1)) == b""


def test_a_client_that_leaves_while_it_waits_is_noticed() -> None:
    gone = asyncio.Event()

    under_way = asyncio.Event()

    def handler(request: Request) -> None:
        request.on_gone = gone.set
        under_way.set()

    async def work(server: HttpServer) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.wait_for(under_way.wait(), 60)
        writer.close()
        await asyncio.wait_for(gone.wait(), 60)

    serve(work, handler)


def test_a_client_that_only_closes_its_side_is_answered_where_that_is_allowed() -> None:
    def handler(request: Request) -> None:
        asyncio.get_running_loop().call_later(0.05, echo, request)

    async def work(server: HttpServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        writer.write_eof()
        assert (await asyncio.wait_for(reader.read(), 60)).endswith(b"GET /x 0 False")
        writer.close()

    serve(work, handler, allows_half_close=True)


def test_a_large_answer_reaches_a_client_that_reads_slowly() -> None:
    body = b"x" * 5_000_000

    def handler(request: Request) -> None:
        request.respond(Response(200, (), body))

    async def work(server: HttpServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = 0
        while data := await reader.read(500_000):
            received += len(data)
            await asyncio.sleep(0.001)
        assert received > 2 * len(body)
        writer.close()

    serve(work, handler)


def test_an_answer_under_way_is_finished_when_the_server_stops() -> None:
    under_way = asyncio.Event()

    def handler(request: Request) -> None:
        under_way.set()
        asyncio.get_running_loop().call_later(0.1, echo, request)

    async def scenario() -> None:
        server = HttpServer(handler)
        await server.start("127.0.0.1")
        talking = asyncio.create_task(talk(server, b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"))
        await under_way.wait()
        await server.stop(grace_seconds=30)
        assert (await talking).endswith(b"GET /x 0 False")

    asyncio.run(scenario())


def test_trailers_over_the_limit_are_refused() -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
    many = b"".join(b"x-%05d: %s\r\n" % (number, b"v" * 100) for number in range(10))
    for trailers in ([many] * 20, [b"x-long: ", *[b"v" * 1000] * 20]):
        assert answered(head, *trailers, limits=Limits(head_bytes=2000)).startswith(b"HTTP/1.1 431 ")
    assert answered(head, b"x-a: b\r\n\r\nGET /y HTTP/1.0\r\n\r\n", limits=Limits(head_bytes=2000)).startswith(OK)


def test_a_body_in_chunks_of_a_byte_is_no_head_that_is_too_large() -> None:
    head = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = answered(head, *[b"1\r\na\r\n" * 500] * 4, b"0\r\n\r\n", limits=Limits(head_bytes=2000))
    assert answer.endswith(b"POST /x 2000 False")


def test_a_client_that_does_not_read_its_answers_is_let_go() -> None:
    def handler(request: Request) -> None:
        request.respond(Response(200, (), b"x" * 5_000_000))

    async def work(server: HttpServer) -> None:
        for connection in (b"keep-alive", b"close"):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n" % connection * 3)
            async with asyncio.timeout(60):
                while not server.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                while server.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            writer.close()

    serve(work, handler, limits=Limits(sending_seconds=0.2))


def test_many_requests_that_want_an_upgrade_are_answered_each() -> None:
    upgrade = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    answer = answered(upgrade * 1500 + b"GET /b HTTP/1.0\r\n\r\n", seconds=60)
    assert answer.count(OK) == 1501


def test_a_client_that_asks_first_behind_another_request_is_told_to_go_on() -> None:
    def handler(request: Request) -> None:
        asyncio.get_running_loop().call_later(0.05, echo, request)

    async def work(server: HttpServer) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        asks = b"POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
        writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" + asks)
        async with asyncio.timeout(60):
            before = await reader.readuntil(b"100 Continue\r\n\r\n")
            assert b"GET /a 0 False" in before
            writer.write(b"abc")
            assert (await reader.read()).endswith(b"POST /b 3 False")
        writer.close()

    serve(work, handler)


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_request_without_one_host_is_refused(hosts: bytes) -> None:
    """RFC 9112, 3.2."""
    assert answered(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("encodings", [(b"gzip, chunked",), (b"gzip", b"chunked")])
def test_a_transfer_encoding_that_is_not_known_is_refused(encodings: tuple[bytes, ...]) -> None:
    """RFC 9112, 6.1."""
    lines = b"".join(b"Transfer-Encoding: %s\r\n" % encoding for encoding in encodings)
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + lines
    assert answered(head + b"\r\n0\r\n\r\n").startswith(b"HTTP/1.1 501 ")
