"""What Valkey's answers mean, and how its configuration is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from emulator.backing_services.valkey import ReplyError, Valkey, server_version

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def version_of(answers: bytes, password: str | None = "secret") -> str:
    """Return what is said of a server that sends `answers` whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answers)
        await reader.read(1)
        writer.close()

    async def run() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await server_version("127.0.0.1", server.sockets[0].getsockname()[1], password)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("information", "version"),
    [
        (b"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\n", "Valkey 9.1.2"),
        (b"# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n", "Redis 7.0.15"),
        (b"# Server\r\n", "Redis of an unknown version"),
    ],
)
def test_a_server_tells_its_name_and_version(information: bytes, version: str) -> None:
    assert version_of(b"+OK\r\n$%d\r\n%s\r\n" % (len(information), information)) == version


def test_a_refused_password_is_said() -> None:
    with pytest.raises(ReplyError, match="WRONGPASS"):
        version_of(b"-WRONGPASS invalid username-password pair\r\n")


def test_another_server_at_the_port_is_not_taken_for_valkey() -> None:
    answers = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\nServer: other\r\n\r\n"
    with pytest.raises(ConnectionError, match="is not answered by Valkey"):
        version_of(answers)


def test_the_configuration_keeps_it_on_the_loopback_interface_and_off_the_disk() -> None:
    valkey = Valkey(log=Path("/tmp/a b.log"), password='p"w\n', port=7000, settings=["cluster-enabled yes"])
    valkey.port = 7000
    assert valkey._configuration().splitlines() == [
        "bind 127.0.0.1",
        "port 7000",
        'dir "\\x2ftmp\\x2fa\\x20b\\x2dscratch"',
        'save ""',
        "cluster-enabled yes",
        'requirepass "p\\x22w\\x0a"',
        'masterauth "p\\x22w\\x0a"',
    ]
