"""File downloads."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.convertors import PathConvertor, register_url_convertor

from app import download, files
from app import filename as file_name
from app.files import FileChangedError
from app.openapi import READ, header, problems
from app.problem import unavailable

router = APIRouter(tags=["files"])


class _AnyText(PathConvertor):
    # Slashes and line breaks as well, so that a name with one is refused with a reason and not as an unknown path.
    regex = "(?s:.*)"


register_url_convertor("any", _AnyText())

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_HEADERS = {
    "ETag": header("Entity tag of the file."),
    "Content-Disposition": header("attachment, with the name of the file."),
}

# Told here and checked by app.filename, which answers 400 for every name that cannot be.
_LENGTH = {"minLength": 1, "maxLength": 255}


@router.get(
    "/file/download/{filename:any}",
    response_class=Response,
    responses={
        200: {"description": "The file, with its own type.", "content": _BYTES, "headers": _HEADERS},
        206: {"description": "The part that Range asks for.", "content": _BYTES, "headers": _HEADERS},
        304: {"description": "The file is as If-None-Match says."},
        307: {"description": "More than 4 MiB: Location has a short-lived link to the bytes."},
        **problems(400, 404, 416, 422, *READ),
    },
)
def download_file(
    request: Request,
    filename: Annotated[str, Path(description="Name of the file, without a path.", json_schema_extra=_LENGTH)],
    _range: Annotated[str | None, Header(alias="Range", description="One range of bytes, such as bytes=0-99.")] = None,
    _if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags that the client has.")
    ] = None,
) -> Response:
    """Download a file of the bucket."""
    name = file_name.parse(filename)
    for _ in range(2):
        file = files.look_up(name)
        plan = download.plan(file, request.headers)
        if plan.status == HTTPStatus.TEMPORARY_REDIRECT:
            return Response(status_code=307, headers={"Location": files.link(file), "Cache-Control": "no-store"})
        if plan.status == HTTPStatus.NOT_MODIFIED:
            return Response(status_code=304, headers=plan.headers)
        try:
            return Response(files.read(file, plan.part), status_code=plan.status, headers=plan.headers)
        except FileChangedError:
            continue
    raise unavailable("The file is being replaced; try again in a moment.")
