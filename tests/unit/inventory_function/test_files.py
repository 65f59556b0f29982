from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from app import clients, files
from app.byte_range import ByteRange
from app.config import settings
from app.files import FileChangedError, StoredFile
from app.problem import Problem
from botocore.exceptions import ClientError

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
    monkeypatch.setattr(clients, "s3", lambda: fake)
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

    assert refusal.value.status_code == 404


def test_a_forbidden_file_is_a_failure_of_the_service(fake: Bucket) -> None:
    fake.error = refused(403, "403")

    with pytest.raises(ClientError):
        files.look_up("a.txt")


def test_only_the_part_of_the_same_version_is_read(fake: Bucket) -> None:
    assert files.read(FILE, ByteRange(0, 3)) == b"0123"
    assert fake.request == {"Bucket": "data", "Key": "a.txt", "IfMatch": '"e1"', "Range": "bytes=0-3"}
    assert fake.body.closed


@pytest.mark.parametrize("status", [404, 412, 416])
def test_a_file_that_changed_meanwhile(fake: Bucket, status: int) -> None:
    fake.error = refused(status, "x")

    with pytest.raises(FileChangedError):
        files.read(FILE, None)
