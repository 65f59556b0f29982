"""File downloads: everything, a part, nothing new, or a link (RFC 9110 sections 13.2.2 and 14).

The route is a coroutine for the reason that `items.py` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.convertors import PathConvertor, register_url_convertor

from app import files
from app.files import FileChangedError, StoredFile
from app.http_headers import (
    ByteRange,
    EntityTag,
    UnsatisfiableRangeError,
    attachment,
    is_known,
    parse_date,
    select_range,
    whole_seconds,
)
from app.openapi import READ, header, problems
from app.routes.strict_route import StrictRoute
from lambda_http.problem import Problem, unavailable

router = APIRouter(tags=["files"], route_class=StrictRoute)

# A Lambda answer ends at 6 MB, and base64 adds a third.
MAXIMUM_BYTES = 4 * 1024 * 1024


class _AnyText(PathConvertor):
    # Slashes and line breaks as well, so that a name with one is refused with a reason and not as an unknown path.
    regex = "(?s:.*)"


register_url_convertor("any", _AnyText())

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_HEADERS = {
    "ETag": header("Entity tag of the file."),
    "Content-Disposition": header("attachment, with the name of the file."),
}

# Told here and checked by app.files, which answers 400 for every name that cannot be.
_LENGTH = {"minLength": 1, "maxLength": 255}


@router.get(
    "/file/download/{filename:any}",
    response_class=Response,
    responses={
        200: {"description": "The file, with its own type.", "content": _BYTES, "headers": _HEADERS},
        206: {"description": "The part that Range asks for.", "content": _BYTES, "headers": _HEADERS},
        304: {"description": "The file is as If-None-Match says."},
        307: {"description": "More than 4 MiB: Location has a short-lived link to the bytes."},
        **problems(400, 404, 409, 416, 422, *READ),
    },
)
async def download_file(
    request: Request,
    filename: Annotated[str, Path(description="Name of the file, without a path.", json_schema_extra=_LENGTH)],
    _range: Annotated[str | None, Header(alias="Range", description="One range of bytes, such as bytes=0-99.")] = None,
    _if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags that the client has.")
    ] = None,
) -> Response:
    """Download a file of the bucket."""
    name = files.parse_name(filename)
    for _ in range(2):
        file = files.look_up(name)
        planned = plan(file, request.headers)
        if planned.status == HTTPStatus.TEMPORARY_REDIRECT:
            return Response(status_code=307, headers={"Location": files.link(file), "Cache-Control": "no-store"})
        if planned.status == HTTPStatus.NOT_MODIFIED:
            return Response(status_code=304, headers=planned.headers)
        try:
            return Response(files.read(file, planned.part), status_code=planned.status, headers=planned.headers)
        except FileChangedError:
            continue
    raise unavailable("The file is being replaced; try again in a moment.")


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to give. `part` is None for the whole file; a body is due with 200 and 206 only."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    part: ByteRange | None = None


def plan(file: StoredFile, headers: Mapping[str, str]) -> Plan:
    """Decide on the answer from `file` and the request's `headers` (names in lower case). Raises Problem 409, 416."""
    if _is_not_modified(file, headers):
        return Plan(HTTPStatus.NOT_MODIFIED, _validators(file))
    if file.archived:
        raise Problem(HTTPStatus.CONFLICT, file.archived)
    try:
        wanted = headers.get("range") if _may_send_part(file, headers.get("if-range")) else None
        part = select_range(wanted, file.size)
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
        return is_known(if_none_match, EntityTag(file.entity_tag.strip('"')))
    since = parse_date(headers.get("if-modified-since"))
    return since is not None and whole_seconds(file.last_modified) <= since


def _may_send_part(file: StoredFile, if_range: str | None) -> bool:
    if if_range is None:
        return True
    if '"' in if_range:
        # Strong comparison (section 13.1.5): a weak tag never allows a part.
        return if_range.strip() == file.entity_tag
    return parse_date(if_range) == whole_seconds(file.last_modified)


def _validators(file: StoredFile) -> dict[str, str]:
    return {
        "ETag": file.entity_tag,
        "Last-Modified": format_datetime(whole_seconds(file.last_modified), usegmt=True),
        "Content-Type": file.content_type,
    }


def _description(file: StoredFile) -> dict[str, str]:
    headers = {
        **_validators(file),
        "Accept-Ranges": "bytes",
        "Content-Disposition": attachment(file.name),
        # The bucket's types are not ours to vouch for: a page or a script in it must stay a download.
        "X-Content-Type-Options": "nosniff",
    }
    if file.content_encoding:
        headers["Content-Encoding"] = file.content_encoding
    return headers
