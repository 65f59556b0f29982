from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from app.files import StoredFile
from app.http_headers import ByteRange
from app.routes.files import MAXIMUM_BYTES, plan

from lambda_http.problem import Problem

LAST_MODIFIED = "Sat, 21 Nov 2026 20:00:00 GMT"


def stored(size: int = 10, content_encoding: str | None = None) -> StoredFile:
    moment = datetime(2026, 11, 21, 20, 0, 0, 999, tzinfo=UTC)
    return StoredFile("a.html", '"e1"', size, moment, "text/html", content_encoding)


def test_the_whole_file() -> None:
    answer = plan(stored(content_encoding="gzip"), {})

    assert (answer.status, answer.part) == (200, None)
    assert answer.headers == {
        "ETag": '"e1"',
        "Last-Modified": LAST_MODIFIED,
        "Content-Type": "text/html",
        "Accept-Ranges": "bytes",
        "Content-Disposition": 'attachment; filename="a.html"',
        "X-Content-Type-Options": "nosniff",
        "Content-Encoding": "gzip",
    }


def test_a_part() -> None:
    answer = plan(stored(), {"range": "bytes=2-4"})

    assert (answer.status, answer.part) == (206, ByteRange(2, 4))
    assert answer.headers["Content-Range"] == "bytes 2-4/10"


@pytest.mark.parametrize("size", [10, 10 * MAXIMUM_BYTES])
def test_a_file_in_an_archive_is_a_conflict_whatever_its_size(size: int) -> None:
    archived = replace(stored(size), archived="It is in an archive.")

    with pytest.raises(Problem, match="archive") as refusal:
        plan(archived, {})

    assert refusal.value.status == 409
    assert plan(archived, {"if-none-match": '"e1"'}).status == 304


def test_nothing_in_the_range() -> None:
    with pytest.raises(Problem) as refusal:
        plan(stored(), {"range": "bytes=10-"})

    assert refusal.value.status == 416
    assert refusal.value.headers == {"Content-Range": "bytes */10"}


def test_what_counts_is_what_would_be_sent() -> None:
    assert plan(stored(MAXIMUM_BYTES), {}).status == 200
    assert plan(stored(MAXIMUM_BYTES + 1), {}).status == 307
    assert plan(stored(10 * MAXIMUM_BYTES), {"range": "bytes=-5"}).status == 206
    assert plan(stored(10 * MAXIMUM_BYTES), {"range": "bytes=5-"}).status == 307


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": '"e1"'}, 304),
        ({"if-none-match": 'W/"e1"'}, 304),
        ({"if-none-match": '"x", "e1"', "range": "bytes=99-"}, 304),
        ({"if-none-match": '"x"', "if-modified-since": LAST_MODIFIED}, 200),
        ({"if-none-match": "e1"}, 200),
        ({"if-modified-since": LAST_MODIFIED}, 304),
        ({"if-modified-since": "Sat, 21 Nov 2026 19:59:59 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-range": '"e1"', "range": "bytes=0-1"}, 206),
        ({"if-range": '"x"', "range": "bytes=0-1"}, 200),
        ({"if-range": 'W/"e1"', "range": "bytes=0-1"}, 200),
        ({"if-range": LAST_MODIFIED, "range": "bytes=0-1"}, 206),
        ({"if-range": "Sat, 21 Nov 2026 20:00:01 GMT", "range": "bytes=99-"}, 200),
        ({"if-range": "nonsense", "range": "bytes=0-1"}, 200),
    ],
)
def test_conditions(headers: dict[str, str], status: int) -> None:
    assert plan(stored(), headers).status == status
