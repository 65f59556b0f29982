from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from emulator.backing_services.redis.probe import Refusal, ask

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ask_server(answers: bytes, password: str | None = "secret") -> str:
    """Return what `ask` says of a server that sends `answers` whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers)
        await reader.read(1)
        writer.close()

    async def run() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await ask("127.0.0.1", server.sockets[0].getsockname()[1], password)

    return asyncio.run(run())


def test_a_redis_server_tells_its_version() -> None:
    information = b"# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"
    answers = b"+OK\r\n+PONG\r\n$%d\r\n%s\r\n" % (len(information), information)

    assert ask_server(answers) == "redis-server 7.0.15"


def test_a_server_without_info_is_the_embedded_one() -> None:
    assert ask_server(b"+PONG\r\n-ERR unknown command\r\n", password=None) == "embedded"


def test_a_refused_password_is_said() -> None:
    with pytest.raises(Refusal, match="WRONGPASS"):
        ask_server(b"-WRONGPASS invalid username-password pair\r\n")


def test_another_server_at_the_port_is_not_taken_for_redis() -> None:
    answers = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\nServer: other\r\n\r\n"
    with pytest.raises(ConnectionError, match="is not answered by Redis"):
        ask_server(answers)
