"""The kernel tells whose the other end of a connection is, and strangers are turned away."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from emulator.http_server import HttpServer, Response
from emulator.processes.peer import is_same_user, process_of
from emulator.processes.process_identity import ProcessIdentity

NOBODY = 65534
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a TCP socket is")
with_another_user = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user, too")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


REQUEST = """
import encodings.idna, os, socket, sys
os.setuid(int(sys.argv[2]))
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as connection:
    try:
        connection.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        sys.stdout.buffer.write(connection.recv(4096))
    except ConnectionError:
        pass
"""


def ask(port: int, user: int) -> bytes:
    """Return what `user` gets from the server at `port`."""
    command = [sys.executable, "-I", "-S", "-c", REQUEST, str(port), str(user)]
    return subprocess.run(command, stdout=subprocess.PIPE, timeout=30, check=True).stdout


def test_a_connection_of_this_user_is_known(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()):
        accepted, client = listener.accept()
        with accepted:
            assert is_same_user(client, accepted.getsockname())


@on_linux
def test_a_socket_that_was_closed_at_once_is_nobodys(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    accepted, client = listener.accept()
    with accepted:
        assert not is_same_user(client, accepted.getsockname())


def test_who_comes_from_another_machine_was_let_in_on_purpose() -> None:
    assert is_same_user(("192.0.2.1", 40000), ("192.0.2.2", 3000))


@on_linux
@with_another_user
def test_a_server_for_its_own_user_answers_no_other() -> None:
    async def ask_as(user: int) -> bytes:
        server = HttpServer(lambda request: request.respond(Response(200, (), b"the event")), own_user_only=True)
        await server.start("127.0.0.1")
        try:
            return await asyncio.to_thread(ask, server.port, user)
        finally:
            await server.stop()

    assert b"the event" in asyncio.run(ask_as(os.getuid()))
    assert asyncio.run(ask_as(NOBODY)) == b""


def test_the_process_of_a_unix_sockets_client_is_known() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert process_of(ours) == ProcessIdentity.current()
