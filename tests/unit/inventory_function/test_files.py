from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest
from app import files
from app.config import settings
from app.files import FileChangedError, StoredFile, parse_name
from app.http_headers import ByteRange
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambda_http import aws_clients
from lambda_http.problem import Problem

FILE = StoredFile("a.txt", '"e1"', 10, datetime(2026, 11, 21, tzinfo=UTC), "text/plain", None)


def refused(status: int, code: str) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "HeadObject")


class Bucket:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.head: dict[str, Any] = {"ETag": '"e1"', "ContentLength": 10, "LastModified": FILE.last_modified}
        self.request: dict[str, Any] = {}
        self.body = io.BytesIO(b"0123")

    def head_object(self, **_request: Any) -> dict[str, Any]:
        if self.error:
            raise self.error
        return self.head

    def get_object(self, **request: Any) -> dict[str, Any]:
        self.request = request
        if self.error:
            raise self.error
        return {"Body": self.body}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "data")
    monkeypatch.setattr(files, "settings", settings.__wrapped__)
    fake = Bucket()
    monkeypatch.setattr(aws_clients, "s3", lambda: fake)
    return fake


@pytest.mark.parametrize("content_type", [None, "", "text/plain\r\nX: y", "té/xt"])
def test_a_type_that_no_header_may_hold_becomes_bytes(fake: Bucket, content_type: str | None) -> None:
    fake.head |= {"ContentType": content_type, "ContentEncoding": content_type}

    file = files.look_up("a.txt")

    assert (file.content_type, file.content_encoding) == ("application/octet-stream", None)


def test_a_missing_file(fake: Bucket) -> None:
    fake.error = refused(404, "404")

    with pytest.raises(Problem) as refusal:
        files.look_up("a.txt")

    assert refusal.value.status == 404


def test_a_forbidden_file_is_a_failure_of_the_service(fake: Bucket) -> None:
    fake.error = refused(403, "403")

    with pytest.raises(ClientError):
        files.look_up("a.txt")


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ({}, None),
        ({"StorageClass": "STANDARD_IA"}, None),
        ({"StorageClass": "GLACIER_IR"}, None),
        ({"StorageClass": "INTELLIGENT_TIERING"}, None),
        ({"StorageClass": "GLACIER"}, "ask whoever runs the shop"),
        ({"StorageClass": "DEEP_ARCHIVE"}, "ask whoever runs the shop"),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, "ask whoever runs the shop"),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, "being restored"),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2026"'}, None),
    ],
)
def test_a_file_in_an_archive_says_what_to_do(fake: Bucket, head: dict[str, str], word: str | None) -> None:
    fake.head |= head

    archived = files.look_up("a.txt").archived

    assert archived is None if word is None else word in str(archived)


def test_a_file_that_went_to_an_archive_meanwhile_is_a_conflict(fake: Bucket) -> None:
    fake.error = refused(403, "InvalidObjectState")

    with pytest.raises(Problem) as refusal:
        files.read(FILE, None)

    assert refusal.value.status == 409


def test_only_the_part_of_the_same_version_is_read(fake: Bucket) -> None:
    assert files.read(FILE, ByteRange(0, 3)) == b"0123"
    assert fake.request == {"Bucket": "data", "Key": "a.txt", "IfMatch": '"e1"', "Range": "bytes=0-3"}
    assert fake.body.closed


@pytest.mark.parametrize("status", [404, 412, 416])
def test_a_file_that_changed_meanwhile(fake: Bucket, status: int) -> None:
    fake.error = refused(status, "x")

    with pytest.raises(FileChangedError):
        files.read(FILE, None)


@given(st.text())
def test_an_accepted_name_is_harmless_however_often_it_is_decoded(filename: str) -> None:
    try:
        form = parse_name(filename)
    except Problem:
        return
    assert form == filename
    for _ in range(5):
        assert form not in {"", ".", ".."}
        assert not set(form) & set("/\\\r\n\0")
        form = unquote(form)


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize("filename", ["..", "../x", "a/b", "a\\b", "a\r\nb", "a\x00", "\x7f", "a\x85"])
def test_a_name_with_a_path_is_refused_in_every_encoding(filename: str, times: int) -> None:
    for _ in range(times):
        filename = quote(filename, safe="").replace(".", "%2e")

    with pytest.raises(Problem):
        parse_name(filename)


@pytest.mark.parametrize("filename", ["", "x" * 256, "\ud800", "."])
def test_names_that_no_file_can_have(filename: str) -> None:
    with pytest.raises(Problem):
        parse_name(filename)


@pytest.mark.parametrize("filename", ["sample.txt", "a..b", "...", "100%.txt", "a%41", "चाय.txt", "x" * 255, "a b"])
def test_good_names(filename: str) -> None:
    assert parse_name(filename) == filename
