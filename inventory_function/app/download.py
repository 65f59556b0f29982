"""What a download answers: everything, a part, nothing new, or a link (RFC 9110 sections 13.2.2 and 14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

from app import byte_range, content_disposition, http_headers
from app.byte_range import ByteRange, UnsatisfiableRangeError
from app.files import StoredFile
from app.problem import Problem

# A Lambda answer ends at 6 MB, and base64 adds a third.
MAXIMUM_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to give. `part` is None for the whole file; a body is due with 200 and 206 only."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    part: ByteRange | None = None


def plan(file: StoredFile, headers: Mapping[str, str]) -> Plan:
    """Decide on the answer from `file` and the request's `headers` (names in lower case). Raises Problem 416."""
    if _is_not_modified(file, headers):
        return Plan(HTTPStatus.NOT_MODIFIED, _validators(file))
    try:
        wanted = headers.get("range") if _may_send_part(file, headers.get("if-range")) else None
        part = byte_range.select(wanted, file.size)
    except UnsatisfiableRangeError as error:
        raise Problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"The file has {file.size} bytes, and the range asked for lies outside; ask for bytes that it has.",
            headers={"Content-Range": f"bytes */{file.size}"},
        ) from error
    if (file.size if part is None else len(part)) > MAXIMUM_BYTES:
        return Plan(HTTPStatus.TEMPORARY_REDIRECT)
    if part is None:
        return Plan(HTTPStatus.OK, _description(file))
    content_range = f"bytes {part.first}-{part.last}/{file.size}"
    return Plan(HTTPStatus.PARTIAL_CONTENT, {**_description(file), "Content-Range": content_range}, part)


def _is_not_modified(file: StoredFile, headers: Mapping[str, str]) -> bool:
    if_none_match = headers.get("if-none-match")
    if if_none_match is not None:
        try:
            return http_headers.parse(if_none_match).matches_weakly(_tag(file))
        except ValueError:
            return False
    since = _date(headers.get("if-modified-since"))
    return since is not None and _seconds(file.last_modified) <= since


def _may_send_part(file: StoredFile, if_range: str | None) -> bool:
    if if_range is None:
        return True
    if '"' in if_range:
        # Strong comparison (section 13.1.5): a weak tag never allows a part.
        return if_range.strip() == file.entity_tag
    return _date(if_range) == _seconds(file.last_modified)


def _tag(file: StoredFile) -> http_headers.EntityTag:
    return http_headers.EntityTag(file.entity_tag.strip('"'))


def _validators(file: StoredFile) -> dict[str, str]:
    return {
        "ETag": file.entity_tag,
        "Last-Modified": format_datetime(_seconds(file.last_modified), usegmt=True),
        "Content-Type": file.content_type,
    }


def _description(file: StoredFile) -> dict[str, str]:
    headers = {
        **_validators(file),
        "Accept-Ranges": "bytes",
        "Content-Disposition": content_disposition.attachment(file.name),
        # The bucket's types are not ours to vouch for: a page or a script in it must stay a download.
        "X-Content-Type-Options": "nosniff",
    }
    if file.content_encoding:
        headers["Content-Encoding"] = file.content_encoding
    return headers


def _seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _date(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header or "")
        return _seconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
