"""HTTP requests are told apart wherever the network cuts them, and only a client that means the proxy comes in."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.fault_injection import ErrorBody, FaultError, Head, HttpWire, Proxy
from emulator.fault_injection.http_wire import HttpReader

HOST = b"127.0.0.1:4566"
WIRE = HttpWire(lambda status, head: ErrorBody(f"{status} {head.target.decode()}".encode()), closed_path="_admin")
REQUESTS = (
    b"POST /a HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nContent-Length: 5\r\n\r\nhello"
    b"POST /b HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"9\r\n\r\n0\r\n\r\nhi\r\n0\r\nx-checksum: 1\r\n\r\n"
    b"GET /c HTTP/1.1\r\nHost: 127.0.0.1:4566\r\n\r\n"
)


def reader() -> HttpReader:
    return WIRE.reader({HOST})


def request(method: str = "GET", target: str = "/", **headers: str) -> bytes:
    """Return a request; a header's underscores are hyphens."""
    fields = {"host": HOST.decode()} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


@given(st.lists(st.integers(0, len(REQUESTS)), max_size=8))
def test_requests_are_complete_with_their_last_byte(cuts: list[int]) -> None:
    read, found = reader(), []
    for start, end in itertools.pairwise(sorted({0, *cuts, len(REQUESTS)})):
        found += [head.target for head in read.feed(REQUESTS[start:end])]
    assert found == [b"/a", b"/b", b"/c"]
    assert (read.is_pending, read.error_response) == (False, None)


def test_a_request_is_pending_until_its_body_is_there() -> None:
    read = reader()
    whole = request("POST", content_length="5") + b"hello"
    assert read.feed(whole[:-1]) == []
    assert read.is_pending
    assert [head.method for head in read.feed(whole[-1:])] == [b"POST"]
    assert not read.is_pending


def test_one_that_expects_to_be_told_to_go_on_is_complete_with_its_head() -> None:
    read = reader()
    head, *rest = read.feed(request("PUT", content_length="5", expect="100-continue"))
    assert (head.method, rest) == (b"PUT", [])
    assert read.feed(b"hello") == []


@pytest.mark.parametrize("data", [b"x" * 100_000, b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000, b"\x16\x03\x01"])
def test_what_is_no_request_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        reader().feed(data)


@pytest.mark.parametrize(
    "allowed",
    [
        request(),
        request(host="127.0.0.1:4566"),
        request("POST", "/queue?Action=SendMessage"),
        request(target="/bucket/_admin"),
        request(target="/bucket/a.txt?X-Amz-Signature=00", origin="http://localhost:5173"),
        request("OPTIONS", "/bucket/a.txt?x=1&X-Amz-Signature=00", origin="null"),
    ],
)
def test_who_means_the_proxy_comes_in(allowed: bytes) -> None:
    read = reader()
    read.feed(allowed)
    assert read.error_response is None


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (request(host="evil.example"), b"Host"),
        (request(host="evil.example:4566"), b"Host"),
        (request(host="127.0.0.1"), b"Host"),
        (request(host="127.0.0.1:3000"), b"Host"),
        (request(host="127.0.0.1:4566.evil.example"), b"Host"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nHost: evil.example\r\n\r\n", b"Host"),
        (b"GET / HTTP/1.0\r\n\r\n", b"Host"),
        (b"GET /\r\n\r\n", b"Host"),
        (request(origin="http://127.0.0.1:4566"), b"pages in a browser"),
        (request("POST", origin="null"), b"pages in a browser"),
        (request("POST", "/X-Amz-Signature=00", origin="null"), b"pages in a browser"),
        (request("POST", "/_admin/reset"), b"Only the emulator"),
        (request("POST", "//_admin/reset"), b"Only the emulator"),
        (request("POST", "/%5Fadmin/reset?a=b"), b"Only the emulator"),
        (request("GET", "http://evil.example/"), b"Host"),
    ],
)
def test_anybody_else_is_refused(refused: bytes, sentence: bytes) -> None:
    read = reader()
    read.feed(refused)
    assert read.error_response is not None
    assert read.error_response.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert sentence in read.error_response


def test_a_refusal_stands_although_a_good_request_follows() -> None:
    read = reader()
    read.feed(request(host="evil.example") + request())
    assert read.error_response is not None


def parts(answer: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    return first, headers, body


def test_an_error_is_whole_and_the_last_answer() -> None:
    first, headers, body = parts(WIRE.error("429", Head(b"GET", b"/a", {})))
    assert first == "HTTP/1.1 429 Too Many Requests"
    assert body == b"429 /a"
    assert headers["content-length"] == str(len(body))
    assert (headers["connection"], headers["retry-after"]) == ("close", "1")
    assert parts(WIRE.error("", Head(b"GET", b"/", {})))[0] == "HTTP/1.1 503 Service Unavailable"
    assert parts(WIRE.error("529", Head(b"GET", b"/", {})))[0] == "HTTP/1.1 529 Overloaded"
    first, headers, body = parts(WIRE.error("500", Head(b"HEAD", b"/", {})))
    assert (headers["content-length"], body) == ("5", b"")


@pytest.mark.parametrize("error", ["200", "600", "LOADING", "-1"])
def test_an_error_is_a_status(error: str) -> None:
    with pytest.raises(FaultError, match=f"search cannot answer with error:{error}: use a status from 400 to 599"):
        WIRE.check_error("search", error)
    WIRE.check_error("search", "")


def test_a_client_may_call_the_proxy_by_the_name_that_functions_use() -> None:
    proxy = Proxy("127.0.0.1", 1, WIRE, name="aws", host="172.17.0.1", port=4566, reached_as="host.docker.internal")
    assert proxy.hosts == {
        b"127.0.0.1:4566",
        b"localhost:4566",
        b"[::1]:4566",
        b"172.17.0.1:4566",
        b"host.docker.internal:4566",
    }
