"""What the fakes for HTTP backing services have in common."""

import asyncio
import subprocess
import sys

import httpx
import pytest

from emulator.backing_services.loopback_server import LoopbackServer
from emulator.http_server import Request, Response


class Echo(LoopbackServer):
    """Answers with the body; fails at an empty one, and with 413 at a body of more than ten bytes."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port, body_bytes=10)

    def _respond(self, request: Request) -> Response:
        if request.is_too_large:
            return Response(413)
        if not request.body:
            raise ValueError("nothing to echo")
        return Response(200, body=request.body)


async def sent(*bodies: bytes) -> list[tuple[int, bytes]]:
    async with Echo() as server, httpx.AsyncClient() as client:
        answers = [await client.post(server.url, content=body) for body in bodies]
    return [(answer.status_code, answer.content) for answer in answers]


def test_it_answers_what_its_subclass_answers() -> None:
    assert asyncio.run(sent(b"abc")) == [(200, b"abc")]


def test_a_body_over_the_limit_is_not_kept() -> None:
    assert asyncio.run(sent(b"0123456789", b"01234567890")) == [(200, b"0123456789"), (413, b"")]


def test_a_request_that_it_fails_at_is_answered_500_and_the_next_as_usual(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(sent(b"", b"abc")) == [(500, b""), (200, b"abc")]
    assert "nothing to echo" in caplog.text


def test_a_port_that_is_taken_is_an_error() -> None:
    async def twice() -> None:
        async with Echo() as server:
            await Echo(server.port).start()

    with pytest.raises(OSError, match="in use"):
        asyncio.run(twice())


def test_the_fakes_import_what_they_check_requests_with_at_the_first_one() -> None:
    code = (
        "import sys, emulator.backing_services.anthropic, emulator.backing_services.elasticsearch\n"
        "print({'aiohttp', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
