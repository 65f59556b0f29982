"""The files in S3: which names they may have, what one is, its bytes, and a link to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from app.config import settings
from app.http_headers import ByteRange, attachment
from app.retries import FOLLOW_UP_BUDGET_SECONDS, error_code, read_with_retries
from lambda_http import aws_clients
from lambda_http.problem import Problem

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

LINK_LIFETIME_SECONDS = 120

_MAXIMUM_CHARACTERS = 255
_MAXIMUM_BYTES = 1024  # the longest key of S3

_ARCHIVED = "The file is in an archive, so it cannot be read; ask whoever runs the shop to restore it, then try again."
_BEING_RESTORED = "The file is being restored from an archive; try again in some hours."
# Bytes of these are read after a restoration only (Amazon S3 User Guide, "Working with archived objects").
_ARCHIVE_CLASSES = {"GLACIER", "DEEP_ARCHIVE"}

_CHANGED = {HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What S3 says about a file; `entity_tag` includes its quotes, `size` is in bytes.

    `archived` is None for a file that can be read, else the sentence that says what to do.
    """

    name: str
    entity_tag: str
    size: int
    last_modified: datetime
    content_type: str
    content_encoding: str | None
    archived: str | None = None


class FileChangedError(Exception):
    """The file was replaced or deleted since it was looked up."""


def parse_name(filename: str) -> str:
    """Return `filename` when it names one file of the bucket's top level.

    The rules hold for the name and for whatever further percent-decoding would make of it, so that a proxy that
    decodes once more finds nothing either. Raises Problem 400.
    """
    if not 0 < len(filename) <= _MAXIMUM_CHARACTERS or len(filename.encode(errors="replace")) > _MAXIMUM_BYTES:
        raise Problem(400, f"Give a filename of 1 to {_MAXIMUM_CHARACTERS} characters.")
    form = filename
    while True:
        _check_name(form)
        decoded = unquote(form)
        if decoded == form:
            return filename
        form = decoded


def look_up(name: str) -> StoredFile:
    """Return what S3 says about the file `name`, without its bytes. Raises Problem 404, 503."""
    from botocore.exceptions import ClientError

    try:
        head = read_with_retries(lambda: aws_clients.s3().head_object(Bucket=settings().s3_bucket, Key=name))
    except ClientError as error:
        # A HEAD has no body, so there is no code but the status.
        if _status(error) == HTTPStatus.NOT_FOUND:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such file; check its name.") from error
        raise
    return StoredFile(
        name=name,
        entity_tag=head["ETag"],
        size=head["ContentLength"],
        last_modified=head["LastModified"],
        content_type=_header_text(head.get("ContentType")) or "application/octet-stream",
        content_encoding=_header_text(head.get("ContentEncoding")),
        archived=_archived(head),
    )


def read(file: StoredFile, part: ByteRange | None) -> bytes:
    """Return the bytes of `file`, or of a part of it, and read nothing else from S3.

    Raises FileChangedError; Problem 409 when the file was moved to an archive, 503.
    """
    from botocore.exceptions import ClientError

    request = {"Bucket": settings().s3_bucket, "Key": file.name, "IfMatch": file.entity_tag}
    if part is not None:
        request["Range"] = f"bytes={part.first}-{part.last}"
    try:
        return read_with_retries(lambda: _body(request), budget=FOLLOW_UP_BUDGET_SECONDS)
    except ClientError as error:
        if _status(error) in _CHANGED:
            raise FileChangedError from error
        if error_code(error) == "InvalidObjectState":
            raise Problem(HTTPStatus.CONFLICT, _ARCHIVED) from error
        raise


def link(file: StoredFile) -> str:
    """Return a URL that gives `file` to whoever holds it for LINK_LIFETIME_SECONDS, under the same name."""
    return aws_clients.s3().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings().s3_bucket,
            "Key": file.name,
            "ResponseContentDisposition": attachment(file.name),
        },
        ExpiresIn=LINK_LIFETIME_SECONDS,
    )


def _archived(head: Mapping[str, Any]) -> str | None:
    """Return why the object of `head` cannot be read (Amazon S3 API Reference, "HeadObject", response elements)."""
    if head.get("StorageClass") not in _ARCHIVE_CLASSES and not head.get("ArchiveStatus"):
        return None
    restore = head.get("Restore", "")
    if 'ongoing-request="true"' in restore:
        return _BEING_RESTORED
    return None if 'ongoing-request="false"' in restore else _ARCHIVED


def _body(request: dict[str, str]) -> bytes:
    with aws_clients.s3().get_object(**request)["Body"] as body:  # type: ignore[arg-type]
        content: bytes = body.read()
    return content


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _header_text(value: str | None) -> str | None:
    # Whoever uploads a file chooses this text; only printable ASCII may become a header again.
    return value if value and value.isascii() and value.isprintable() else None


def _check_name(form: str) -> None:
    if "/" in form or "\\" in form or form in {".", ".."}:
        raise Problem(400, "Give the name of a file without any path: no slash, no backslash, no .. segment.")
    if any(ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F for character in form):
        raise Problem(400, "Give a filename without control characters.")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in form):
        raise Problem(400, "Give a filename in UTF-8.")
