"""The files in S3: what one is, its bytes, and a link to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from app import clients, content_disposition
from app.byte_range import ByteRange
from app.problem import Problem, unavailable
from app.settings import settings

LINK_LIFETIME_SECONDS = 120


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What S3 says about a file; `entity_tag` includes its quotes, `size` is in bytes."""

    name: str
    entity_tag: str
    size: int
    last_modified: datetime
    content_type: str
    content_encoding: str | None


class FileChangedError(Exception):
    """The file was replaced or deleted since it was looked up."""


def look_up(name: str) -> StoredFile:
    """Return what S3 says about the file `name`, without its bytes. Raises Problem 404, 503."""
    from botocore.exceptions import ClientError

    try:
        head = clients.s3().head_object(Bucket=settings().bucket_name, Key=name)
    except ClientError as error:
        # A HEAD has no body, so the code is the bare status.
        if _status(error) == HTTPStatus.NOT_FOUND:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such file; check its name.") from error
        raise _translated(error) from error
    return StoredFile(
        name=name,
        entity_tag=head["ETag"],
        size=head["ContentLength"],
        last_modified=head["LastModified"],
        content_type=_header_text(head.get("ContentType")) or "application/octet-stream",
        content_encoding=_header_text(head.get("ContentEncoding")),
    )


def read(file: StoredFile, part: ByteRange | None) -> bytes:
    """Return the bytes of `file`, or of a part of it, and read nothing else from S3. Raises FileChangedError."""
    from botocore.exceptions import ClientError

    request = {"Bucket": settings().bucket_name, "Key": file.name, "IfMatch": file.entity_tag}
    if part is not None:
        request["Range"] = f"bytes={part.first}-{part.last}"
    try:
        with clients.s3().get_object(**request)["Body"] as body:  # type: ignore[arg-type]
            content: bytes = body.read()
    except ClientError as error:
        if _status(error) in {
            HTTPStatus.NOT_FOUND,
            HTTPStatus.PRECONDITION_FAILED,
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        }:
            raise FileChangedError from error
        raise _translated(error) from error
    return content


def link(file: StoredFile) -> str:
    """Return a URL that gives `file` to whoever holds it for LINK_LIFETIME_SECONDS, under the same name."""
    return clients.s3().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings().bucket_name,
            "Key": file.name,
            "ResponseContentDisposition": content_disposition.attachment(file.name),
        },
        ExpiresIn=LINK_LIFETIME_SECONDS,
    )


def _translated(error: Exception) -> Exception:
    if _status(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unavailable("The file store did not answer; try again in a moment.")
    return error


def _status(error: Exception) -> int:
    status: int = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def _header_text(value: str | None) -> str | None:
    # Whoever uploads a file chooses this text; only printable ASCII may become a header again.
    return value if value and value.isascii() and value.isprintable() else None
