"""What clients of a backing service see of each fault, and that it is over when it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from emulator.fault_injection import ErrorBody, Fault, FaultError, Faults, HttpWire, Proxy, RedisWire, Wire

Test = Callable[[Proxy], Awaitable[None]]
HTTP = HttpWire(lambda status, _: ErrorBody(b"told to fail"))


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """Serve what is sent, in capitals, until the client has ended its half."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data.upper())
                await writer.drain()
            writer.write(b"END")
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        yield server.sockets[0].getsockname()[1]


def with_proxy(test: Test, wire: Wire = RedisWire()) -> None:  # noqa: B008 (it is a value)
    """Run `test` with a proxy; one for Redis passes on whatever bytes come."""

    async def run() -> None:
        async with echo() as port, Proxy("127.0.0.1", port, wire, name="service") as proxy:
            await asyncio.wait_for(test(proxy), 60)
        assert not proxy.connections

    asyncio.run(run())


async def ask(proxy: Proxy, request: bytes, seconds: float = 5.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(65536), seconds)
    finally:
        writer.close()


def test_without_a_fault_it_passes_everything_on() -> None:
    async def test(proxy: Proxy) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        for _ in range(3):
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"HELLO"
        writer.write_eof()
        assert await reader.read() == b"END"  # half-closed: the answer still comes
        writer.close()

    with_proxy(test)


def test_a_backing_service_that_ends_leaves_no_half_of_a_connection() -> None:
    async def test() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"A")
            writer.write_eof()  # as servers do that close what idles
            ended.set_result(await reader.read())
            writer.close()

        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        async with (
            await asyncio.start_server(serve, "127.0.0.1") as server,
            Proxy("127.0.0.1", server.sockets[0].getsockname()[1], RedisWire(), name="service") as proxy,
        ):
            _, kept = await asyncio.open_connection("127.0.0.1", proxy.port)
            kept.write(b"a")  # its client keeps the connection, and looks at it when it needs it again
            assert await asyncio.wait_for(ended, 60) == b""
            assert not proxy.connections
            kept.close()
            await kept.wait_closed()

    asyncio.run(test())


def test_a_client_that_ends_its_half_is_not_kept_when_nothing_is_due() -> None:
    async def test() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while await reader.read(1):
                    writer.write(b"A")
                await ended.wait()  # it takes the end of the requests for no reason to close
            except ConnectionError:
                pass
            finally:
                writer.close()

        ended = asyncio.Event()
        async with (
            await asyncio.start_server(serve, "127.0.0.1") as server,
            Proxy("127.0.0.1", server.sockets[0].getsockname()[1], RedisWire(), name="service") as proxy,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"a")
            assert await reader.read(1) == b"A"
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 30) == b""
            assert not proxy.connections
            writer.close()
            ended.set()

    asyncio.run(test())


def test_large_answers_do_not_pile_up() -> None:
    async def test(proxy: Proxy) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, limit=1024)
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(1000):
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.3)
        assert sent < 60_000_000  # nobody reads the answers, so nobody may send on
        received = 0
        while received < 100_000_000:
            received += len(await reader.read(1_000_000))
        await sending
        writer.close()

    with_proxy(test)


def test_refuse_and_recover_on_the_same_port() -> None:
    async def test(proxy: Proxy) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"a")
        assert await reader.read(1) == b"A"
        await proxy.set_fault(Fault.parse("refuse"))
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.set_fault(Fault.parse("none"))
        assert await ask(proxy, b"b") == b"B"

    with_proxy(test)


def test_stall_answers_nothing_and_leaves_idle_connections_alone() -> None:
    async def test(proxy: Proxy) -> None:
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        used_reader, used_writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        for reader, writer in ((idle_reader, idle_writer), (used_reader, used_writer)):
            writer.write(b"a")
            assert await reader.read(1) == b"A"
        await proxy.set_fault(Fault.parse("stall"))
        used_writer.write(b"lost")
        with pytest.raises(TimeoutError):
            await ask(proxy, b"b", seconds=0.1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(used_reader.read(1), 0.1)
        await proxy.set_fault(Fault.parse("none"))
        with pytest.raises(ConnectionResetError):
            await used_reader.read(1)
        idle_writer.write(b"c")
        assert await idle_reader.read(1) == b"C"
        idle_writer.close()
        used_writer.close()

    with_proxy(test)


def test_slow_delays_each_answer_once() -> None:
    async def test(proxy: Proxy) -> None:
        await proxy.set_fault(Fault.parse("slow:100"))
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        for _ in range(2):
            start = time.monotonic()
            writer.write(b"abc")
            assert await reader.readexactly(3) == b"ABC"
            assert time.monotonic() - start > 0.09
        writer.close()
        # An answer that ends its connection is late as well, and whole.
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write_eof()
        assert await reader.read() == b"END"
        writer.close()

    with_proxy(test)


def http(proxy: Proxy, method: str = "GET", path: str = "/", **headers: str) -> bytes:
    """Return a request to the proxy; a header's underscores are hyphens."""
    fields = {"host": f"127.0.0.1:{proxy.port}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    head = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()


def test_http_errors_are_counted_and_then_over() -> None:
    async def test(proxy: Proxy) -> None:
        await proxy.set_fault(Fault.parse("error:529x2"))
        request = http(proxy, "POST", content_length="2") + b"hi"
        for _ in range(2):
            assert (await ask(proxy, request)).startswith(b"HTTP/1.1 529 Overloaded\r\n")
        assert proxy.describe() == "none"
        assert await ask(proxy, request) == request.upper()

    with_proxy(test, HTTP)


def test_a_kept_connection_gets_the_error_too() -> None:
    async def test(proxy: Proxy) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(http(proxy))
        assert (await reader.read(100)).startswith(b"GET /")
        await proxy.set_fault(Fault.parse("error"))
        writer.write(http(proxy))
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()

    with_proxy(test, HTTP)


def test_a_request_that_was_begun_before_the_fault_is_passed_on() -> None:
    async def test(proxy: Proxy) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        whole = http(proxy, "PUT", content_length="9")
        writer.write(whole)
        assert await reader.readexactly(len(whole)) == whole.upper()
        await proxy.set_fault(Fault.parse("error"))
        writer.write(b"last word")
        assert await reader.readexactly(9) == b"LAST WORD"
        writer.write(http(proxy))
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()

    with_proxy(test, HTTP)


def test_a_request_that_was_begun_in_the_fault_ends_with_it() -> None:
    async def test(proxy: Proxy) -> None:
        await proxy.set_fault(Fault.parse("error"))
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(http(proxy, "PUT", content_length="9"))
        await asyncio.sleep(0.05)
        await proxy.set_fault(Fault.parse("none"))
        writer.write(b"last word")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()

    with_proxy(test, HTTP)


def test_who_does_not_mean_the_proxy_gets_a_sentence_and_the_backing_service_nothing() -> None:
    async def test(proxy: Proxy) -> None:
        seen: list[bytes] = []
        proxy.on_error = seen.append
        page = http(proxy, "POST", origin="https://evil.example", content_length="2")
        for request in (http(proxy, host="evil.example"), page + b"hi"):
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(http(proxy))
            assert (await reader.read(100)).startswith(b"GET /")
            writer.write(request)
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
            writer.close()
        assert await ask(proxy, http(proxy, host=f"localhost:{proxy.port}"))

    with_proxy(test, HTTP)


def test_what_is_no_http_is_reset() -> None:
    async def test(proxy: Proxy) -> None:
        with pytest.raises(ConnectionResetError):
            await ask(proxy, b"*1\r\n$4\r\nPING\r\n")

    with_proxy(test, HTTP)


def test_redis_errors_leave_the_connection_and_its_handshake() -> None:
    async def test(proxy: Proxy) -> None:
        await proxy.set_fault(Fault.parse("error:LOADINGx2"))
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        hello = b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"
        writer.write(hello)
        assert await reader.readexactly(len(hello)) == hello.upper()
        ping = b"*1\r\n$4\r\nping\r\n"
        for _ in range(2):
            writer.write(ping)
            assert (await reader.readuntil(b"\r\n")).startswith(b"-LOADING ")
        writer.write(ping)
        assert await reader.readexactly(len(ping)) == ping.upper()
        writer.close()

    with_proxy(test)


def test_a_fault_with_seconds_ends_by_itself() -> None:
    async def test(proxy: Proxy) -> None:
        await proxy.set_fault(Fault.parse("refuse@0.2"))
        assert proxy.describe() == "refuse (0 s left)"
        with pytest.raises(ConnectionRefusedError):
            await ask(proxy, b"a")
        await asyncio.sleep(0.3)
        assert proxy.describe() == "none"
        assert await ask(proxy, b"a") == b"A"
        # A fault that was replaced does not end the one that replaced it.
        await proxy.set_fault(Fault.parse("refuse@0.1"))
        await proxy.set_fault(Fault.parse("slow:10"))
        await asyncio.sleep(0.2)
        assert proxy.describe() == "slow:10"

    with_proxy(test)


def test_a_backing_service_that_is_down_resets() -> None:
    async def run() -> None:
        async with echo() as port:
            pass
        async with Proxy("127.0.0.1", port, RedisWire(), name="gone") as proxy:
            with pytest.raises(ConnectionResetError):
                await ask(proxy, b"a")

    asyncio.run(run())


def test_a_taken_port_is_an_error() -> None:
    async def run() -> None:
        async with echo() as port:
            with pytest.raises(OSError, match="in use"):
                await Proxy("127.0.0.1", 1, RedisWire(), name="x", port=port).start()

    asyncio.run(run())


def test_the_registry_sets_tells_and_refuses() -> None:
    async def run() -> None:
        async with (
            echo() as port,
            Proxy("127.0.0.1", port, RedisWire(), name="redis") as redis,
            Proxy("127.0.0.1", port, HTTP, name="anthropic") as anthropic,
        ):
            faults = Faults({"redis": redis, "anthropic": anthropic})
            await faults.apply("redis=refuse anthropic=error:529x3")
            assert faults.describe() == {"redis": "refuse", "anthropic": "error:529x3"}
            for text, sentence in [
                ("", "Name a backing service and a fault, for example redis=refuse"),
                ("redis", "sets no fault: write SERVICE=FAULT"),
                ("mysql=refuse", "no backing service 'mysql': there are redis, anthropic, or all of them"),
                ("redis=none anthropic=error:LOADING", "anthropic cannot answer with error:LOADING"),
                ("redis=error:503", "redis cannot answer with error:503"),
            ]:
                with pytest.raises(FaultError, match=sentence):
                    await faults.apply(text)
            assert faults.describe()["redis"] == "refuse"
            await faults.apply("all=none")
            assert set(faults.describe().values()) == {"none"}

    asyncio.run(run())


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[int]:
    """Serve one of `answers` for each request, in turn."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        yield server.sockets[0].getsockname()[1]


def test_errors_of_the_backing_service_itself_are_shown_with_their_head() -> None:
    async def run() -> None:
        answers = [f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode() for status in (403, 200, 503)]
        async with answering(*answers) as port, Proxy("127.0.0.1", port, HTTP, name="aws") as proxy:
            seen: list[bytes] = []
            proxy.on_error = seen.append
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            for answer in answers:
                writer.write(http(proxy))
                assert await reader.readexactly(len(answer)) == answer
            writer.close()
            assert seen == [answers[0], answers[2]]

    asyncio.run(run())


def test_errors_of_a_fault_are_not_the_backing_services() -> None:
    async def test(proxy: Proxy) -> None:
        seen: list[bytes] = []
        proxy.on_error = seen.append
        await proxy.set_fault(Fault.parse("error:403"))
        assert b" 403 " in await ask(proxy, http(proxy))
        assert seen == []

    with_proxy(test, HTTP)
