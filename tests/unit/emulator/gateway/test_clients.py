"""The same requests from clients that put them differently on the wire, to an HTTP API and to a REST API."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.emulator.gateway.api_client import (
    Client,
    function_with,
    http_api,
    http_event,
    parsed,
    rest_api,
    rest_event,
    serve,
)

HTTP = {"Api": http_api(), "F": function_with({"All": http_event("ANY", "/{proxy+}")})}
REST = {"Api": rest_api(), "F": function_with({"All": rest_event("ANY", "/{proxy+}")})}
KINDS = pytest.mark.parametrize(("resources", "stage"), [(HTTP, ""), (REST, "/prod")], ids=["HTTP API", "REST API"])
Work = Callable[[Client], Awaitable[None]]

CHROMIUM = (
    b"POST %s/form HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nConnection: keep-alive\r\nContent-Length: 13\r\n"
    b'sec-ch-ua: "Chromium";v="141", "Not?A_Brand";v="8"\r\nsec-ch-ua-mobile: ?0\r\n'
    b"Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\nOrigin: http://127.0.0.1:3000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: a=1; b=2\r\n\r\n"
    b"name=Beetroot"
)


async def curl(*arguments: str) -> str:
    """Return what curl prints; fail when it does."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--show-error", "--fail", "--max-time", "60", *arguments), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode()


def body_of(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body) if event["isBase64Encoded"] else str(body).encode()


def header_of(event: Mapping[str, Any], name: str) -> str | None:
    return next((value for key, value in event["headers"].items() if key.lower() == name), None)


def method_of(event: Mapping[str, Any]) -> str:
    return str(event.get("httpMethod") or event["requestContext"]["http"]["method"])


def path_of(event: Mapping[str, Any]) -> str:
    return str(event.get("rawPath") or event["path"])


def protocol_of(event: Mapping[str, Any]) -> str:
    context = event["requestContext"]
    return str(context.get("protocol") or context["http"]["protocol"])


@KINDS
@pytest.mark.parametrize(
    ("arguments", "method", "body"),
    [
        (("--http1.0",), "GET", b""),
        (("--http1.1", "--request", "DELETE"), "DELETE", b""),
        (("--json", '{"a": 1}'), "POST", b'{"a": 1}'),
        (("--data-binary", "x" * 100_000), "POST", b"x" * 100_000),
        (("--data-binary", "in pieces", "--header", "Transfer-Encoding: chunked"), "POST", b"in pieces"),
        (("--data-binary", "asked first", "--header", "Expect: 100-continue"), "POST", b"asked first"),
        (("--request", "PUT", "--data", "a=b&c=%20"), "PUT", b"a=b&c=%20"),
    ],
)
def test_curl(
    tmp_path: Path, resources: Mapping[str, Any], stage: str, arguments: tuple[str, ...], method: str, body: bytes
) -> None:
    async def work(client: Client) -> None:
        printed = await curl(*arguments, f"http://127.0.0.1:{client.port}{stage}/a%20b?q=1&q=2")
        event = json.loads(printed)
        assert (method_of(event), path_of(event), body_of(event)) == (method, "/a b", body)
        assert (header_of(event, "user-agent") or "").startswith("curl/")

    serve(tmp_path, resources, work)


@KINDS
def test_curl_asks_for_the_head_alone(tmp_path: Path, resources: Mapping[str, Any], stage: str) -> None:
    async def work(client: Client) -> None:
        printed = await curl("--head", f"http://127.0.0.1:{client.port}{stage}/a")
        assert printed.startswith("HTTP/1.1 200 OK")
        assert printed.endswith("\r\n\r\n")
        assert method_of(client.functions.event) == "HEAD"

    serve(tmp_path, resources, work)


@KINDS
def test_curl_uploads_a_file_with_bytes_that_are_no_text(
    tmp_path: Path, resources: Mapping[str, Any], stage: str
) -> None:
    file = tmp_path / "bytes.bin"
    file.write_bytes(bytes(range(256)))

    async def work(client: Client) -> None:
        event = json.loads(await curl("--form", f"file=@{file}", f"http://127.0.0.1:{client.port}{stage}/upload"))
        if stage:  # a REST API without binaryMediaTypes takes everything for text
            assert not event["isBase64Encoded"]
        else:
            assert bytes(range(256)) in body_of(event)

    serve(tmp_path, resources, work)


@KINDS
def test_httpx_keeps_its_connection(tmp_path: Path, resources: Mapping[str, Any], stage: str) -> None:
    async def work(client: Client) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{client.port}{stage}", timeout=60) as web:
            ports = set()
            for number in range(3):
                answer = await web.post("/a", json={"number": number}, headers={"cookie": "a=1; b=2"})
                assert json.loads(answer.json()["body"]) == {"number": number}
                ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
            assert len(ports) == 1

            async def pieces() -> Any:
                yield b"one "
                yield b"two"

            answer = await web.put("/stream", content=pieces(), headers={"content-type": "text/plain"})
            assert body_of(answer.json()) == b"one two"

    serve(tmp_path, resources, work)


@KINDS
def test_a_browser_sends_a_form_and_its_own_headers(tmp_path: Path, resources: Mapping[str, Any], stage: str) -> None:
    async def work(client: Client) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        try:
            for _ in range(2):  # a browser keeps the connection
                writer.write(CHROMIUM % stage.encode())
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
                length = int(parsed(head).header("content-length") or 0)
                event = json.loads(await asyncio.wait_for(reader.readexactly(length), 60))
                assert body_of(event) == b"name=Beetroot"
                assert header_of(event, "sec-ch-ua") == '"Chromium";v="141", "Not?A_Brand";v="8"'
                assert header_of(event, "upgrade-insecure-requests") == "1"
                cookies = event["cookies"] if not stage else str(header_of(event, "cookie")).split("; ")
                assert cookies == ["a=1", "b=2"]
        finally:
            writer.close()

    serve(tmp_path, resources, work)


@KINDS
@pytest.mark.parametrize("keeps", [False, True])
def test_http_1_0_is_answered_and_closed_unless_it_asks_to_be_kept(
    tmp_path: Path, resources: Mapping[str, Any], stage: str, *, keeps: bool
) -> None:
    async def work(client: Client) -> None:
        kept = b"Connection: keep-alive\r\n" if keeps else b""
        first = b"POST %s/a HTTP/1.0\r\n%sContent-Length: 2\r\n\r\nhi" % (stage.encode(), kept)
        answer = await client.send(first, b"GET %s/b HTTP/1.0\r\n\r\n" % stage.encode() if keeps else b"")
        assert answer.status == 200
        assert answer.header("connection") == ("keep-alive" if keeps else "close")
        assert len(client.functions.events) == (2 if keeps else 1)
        assert protocol_of(client.functions.events[0]) == "HTTP/1.0"
        assert body_of(client.functions.events[0]) == b"hi"

    serve(tmp_path, resources, work)


@KINDS
def test_chunks_with_extensions_and_trailers_are_one_body(
    tmp_path: Path, resources: Mapping[str, Any], stage: str
) -> None:
    async def work(client: Client) -> None:
        head = (
            b"POST %s/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" % stage.encode()
        )
        answer = await client.send(
            head, b'3;name="x"\r\none\r\n', b"4\r\n two\r\n", b"0\r\nX-Trailer: 1\r\n\r\n", pause=0.01
        )
        assert body_of(answer.json) == b"one two"
        assert header_of(answer.json, "x-trailer") is None

    serve(tmp_path, resources, work)


@KINDS
def test_a_slow_sender_is_answered_when_its_last_byte_has_come(
    tmp_path: Path, resources: Mapping[str, Any], stage: str
) -> None:
    async def work(client: Client) -> None:
        request = (
            b"POST %s/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nslow" % stage.encode()
        )
        slow = asyncio.create_task(
            client.send(*(request[index : index + 1] for index in range(len(request))), pause=0.002)
        )
        assert (await client.get(f"{stage}/meanwhile")).status == 200
        assert body_of((await slow).json) == b"slow"

    serve(tmp_path, resources, work)


@KINDS
@pytest.mark.parametrize("sent", [b"POST %s/a HTT", b"POST %s/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_client_that_vanishes_while_it_sends_calls_no_function(
    tmp_path: Path, resources: Mapping[str, Any], stage: str, sent: bytes
) -> None:
    async def work(client: Client) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(sent % stage.encode())
        await writer.drain()
        writer.transport.abort()
        assert (await client.get(f"{stage}/after")).status == 200
        assert [path_of(event) for event in client.functions.events] == ["/after"]

    serve(tmp_path, resources, work)


@KINDS
def test_a_client_that_vanishes_while_it_waits_harms_nobody(
    tmp_path: Path, resources: Mapping[str, Any], stage: str
) -> None:
    async def work(client: Client) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(b"GET %s/wait HTTP/1.1\r\nHost: a\r\n\r\n" % stage.encode())
        await asyncio.wait_for(called.wait(), 60)
        writer.transport.abort()
        assert (await client.get(f"{stage}/after")).status == 200
        go_on.set()
        assert (await client.get(f"{stage}/last")).status == 200

    called, go_on = asyncio.Event(), asyncio.Event()

    async def wait(event: dict[str, Any]) -> dict[str, Any]:
        if path_of(event) == "/wait":
            called.set()
            await go_on.wait()
        return {"statusCode": 200, "body": "done"}

    serve(tmp_path, resources, work, F=wait)
