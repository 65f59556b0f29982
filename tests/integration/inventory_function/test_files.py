from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Send = Callable[..., Any]
Store = Callable[..., None]
MEBIBYTE = 1024 * 1024


@pytest.fixture
def name() -> str:
    return f"{uuid.uuid4().hex}.txt"


def test_a_file_comes_with_its_type_and_name(inventory: Send, store: Store, name: str) -> None:
    store(name, b"hello shop\n")

    answer = inventory("GET", f"/file/download/{name}")

    assert (answer.status, answer.body) == (200, b"hello shop\n")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == "11"
    assert answer.headers["last-modified"].endswith(" GMT")


def test_bytes_survive(inventory: Send, store: Store, name: str) -> None:
    content = bytes(range(256)) * 9
    store(name, content, "image/png")

    assert inventory("GET", f"/file/download/{name}").body == content


@pytest.mark.parametrize("filename", ["मसाला चाय.txt", 'quo"te.txt', "100%.txt", "a%41.txt", "semi;colon.txt"])
def test_unusual_names_are_found(inventory: Send, store: Store, filename: str) -> None:
    store(filename, b"x")

    answer = inventory("GET", f"/file/download/{filename}")

    assert (answer.status, answer.body) == (200, b"x")
    assert answer.headers["content-disposition"].isascii()


@pytest.mark.parametrize(
    ("header", "part", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=5-99", b"56789", "bytes 5-9/10"),
    ],
)
def test_a_range(inventory: Send, store: Store, name: str, header: str, part: bytes, content_range: str) -> None:
    store(name, b"0123456789")

    answer = inventory("GET", f"/file/download/{name}", headers={"range": header})

    assert (answer.status, answer.body) == (206, part)
    assert answer.headers["content-range"] == content_range


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "bytes=3-1", "lines=1-2", "bytes", "bytes=a-b"])
def test_a_range_that_is_none_gives_the_whole_file(inventory: Send, store: Store, name: str, header: str) -> None:
    store(name, b"0123456789")

    answer = inventory("GET", f"/file/download/{name}", headers={"range": header})

    assert (answer.status, answer.body) == (200, b"0123456789")


def test_a_range_outside_the_file(inventory: Send, store: Store, name: str) -> None:
    store(name, b"0123456789")

    answer = inventory("GET", f"/file/download/{name}", headers={"range": "bytes=10-"})

    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */10"
    assert answer.headers["content-type"] == "application/problem+json"


def test_if_range_asks_for_the_part_of_one_version_only(inventory: Send, store: Store, name: str) -> None:
    store(name, b"0123456789")
    whole = inventory("GET", f"/file/download/{name}")

    def part(if_range: str) -> int:
        headers = {"range": "bytes=0-1", "if-range": if_range}
        status: int = inventory("GET", f"/file/download/{name}", headers=headers).status
        return status

    assert part(whole.headers["etag"]) == 206
    assert part(whole.headers["last-modified"]) == 206
    assert part('"other"') == 200
    assert part(f"W/{whole.headers['etag']}") == 200
    assert part("Thu, 01 Jan 1970 00:00:00 GMT") == 200


def test_a_file_that_is_current_need_not_be_sent_again(inventory: Send, store: Store, name: str) -> None:
    store(name, b"0123456789")
    whole = inventory("GET", f"/file/download/{name}")

    for headers in (
        {"if-none-match": whole.headers["etag"]},
        {"if-none-match": "*", "range": "bytes=99-"},
        {"if-modified-since": whole.headers["last-modified"]},
    ):
        answer = inventory("GET", f"/file/download/{name}", headers=headers)
        assert (answer.status, answer.body) == (304, b"")
        assert answer.headers["etag"] == whole.headers["etag"]
    assert inventory("GET", f"/file/download/{name}", headers={"if-none-match": '"x"'}).status == 200


def test_a_large_file_is_a_link(inventory: Send, store: Store, name: str) -> None:
    content = bytes(range(256)) * (5 * MEBIBYTE // 256)
    store(name, content, "application/octet-stream")

    answer = inventory("GET", f"/file/download/{name}")

    assert answer.status == 307
    with urllib.request.urlopen(answer.headers["location"], timeout=60) as linked:
        assert linked.read() == content
        assert linked.headers["content-disposition"] == f'attachment; filename="{name}"'
    part = inventory("GET", f"/file/download/{name}", headers={"range": "bytes=-256"})
    assert (part.status, part.body) == (206, bytes(range(256)))


def test_a_page_of_any_origin_that_the_api_admits_may_follow_the_link(inventory: Send, store: Store, name: str) -> None:
    store(name, b"x" * (5 * MEBIBYTE))
    link = inventory("GET", f"/file/download/{name}").headers["location"]

    asked = {"access-control-request-method": "GET", "access-control-request-headers": "if-none-match, x-api-key"}
    preflight = httpx.options(link, headers={"origin": "null", **asked})
    answer = httpx.get(link, headers={"origin": "https://pages.example", "range": "bytes=0-9"})

    assert preflight.headers["access-control-allow-origin"] in {"*", "null"}
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-origin"] in {"*", "https://pages.example"}
    assert "content-range" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize("size", [10, 5 * MEBIBYTE])
def test_a_file_in_an_archive_is_a_conflict(inventory: Send, store: Store, name: str, size: int) -> None:
    store(name, b"x" * size, StorageClass="GLACIER")

    answer = inventory("GET", f"/file/download/{name}")

    assert answer.status == 409
    assert "restore" in answer.json["detail"]


def test_the_largest_answer_stays_below_the_limit_of_lambda(inventory: Send, store: Store, name: str) -> None:
    content = b"\x01" * (4 * MEBIBYTE)
    store(name, content, "text/plain")

    answer = inventory("GET", f"/file/download/{name}")

    assert (answer.status, answer.body) == (200, content)


def test_an_empty_file(inventory: Send, store: Store, name: str) -> None:
    store(name, b"")

    assert (inventory("GET", f"/file/download/{name}").status) == 200
    assert inventory("GET", f"/file/download/{name}", headers={"range": "bytes=0-"}).status == 416


def test_a_missing_file(inventory: Send, name: str) -> None:
    answer = inventory("GET", f"/file/download/{name}")

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert name not in answer.body.decode()


@pytest.mark.parametrize(
    "filename",
    ["..", "../sample.txt", "..%2fsample.txt", "..%252fsample.txt", "a\\b", "a\r\nX: y", "a\x00b", "x" * 256],
)
def test_traversal_and_control_characters_are_refused(inventory: Send, filename: str) -> None:
    answer = inventory("GET", f"/file/download/{filename}")

    assert answer.status == 400
    assert "x" not in answer.headers
