import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Request, answer, apply
from benchmarks.plan import BenchmarkError


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"statusCode": 200}'
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/closing":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/kept", "/closing"])
def test_every_client_counts_and_connects_again_when_it_must(port: int, path: str) -> None:
    load = apply(Request(port, "GET", path, expected=b"200"), clients=3, seconds=0.05)
    assert len(load.latencies_ms) >= 3
    assert load.failures == 0
    assert load.requests_per_second > 0


def test_an_answer_is_returned_with_its_latency(port: int) -> None:
    latency, body = answer(Request(port, "GET", "/"))
    assert latency > 0
    assert body == b'{"statusCode": 200}'


def test_another_status_or_body_is_no_right_answer(port: int) -> None:
    with pytest.raises(BenchmarkError, match="answered 404"):
        answer(Request(port, "GET", "/missing"))
    with pytest.raises(BenchmarkError, match="no right answer"):
        apply(Request(port, "GET", "/", expected=b"else"), clients=1, seconds=0.05)


def test_an_endpoint_that_is_gone_is_named() -> None:
    with pytest.raises(BenchmarkError, match="GET /: ConnectionRefusedError"):
        answer(Request(1, "GET", "/"))
