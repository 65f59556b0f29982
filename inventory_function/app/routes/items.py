"""Items: create, list, read, replace, delete."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel

from app import cursor as page_cursor
from app import http_headers, json_text, precondition, stored_item, table
from app.api_key import require_api_key
from app.errors import validation_problem
from app.models import Item, NewItem, Replacement, Sku
from app.openapi import READ, WRITE, header, problems
from app.routes.json_route import JsonRoute

router = APIRouter(tags=["items"], route_class=JsonRoute)

SkuPath = Annotated[Sku, Path()]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description='Go on only if the item has one of these ETags, or "*": exists.'),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match", description='Go on only if the item has none of these ETags, or "*": does not exist.'
    ),
]

_ETAG = {"ETag": header("Strong entity tag of the item.")}
_LOCATION = {"Location": header("Path of the item.")}


class Created(BaseModel):
    """The answer of POST /inventory."""

    status: Literal["created"]
    item: Item


class Page(BaseModel):
    """The answer of GET /inventory; `next_cursor` is null on the last page."""

    items: list[Item]
    next_cursor: str | None


class Deleted(BaseModel):
    """The answer of DELETE /inventory/{sku}."""

    status: Literal["deleted"]
    sku: str


def answer(item: Item, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return `item` as a JSON response with its ETag."""
    return _json(item.members(), status, {"ETag": str(stored_item.entity_tag(item)), **(headers or {})})


@router.post(
    "/inventory",
    status_code=201,
    dependencies=[Depends(require_api_key)],
    responses={201: {"model": Created, "headers": {**_LOCATION, **_ETAG}}, **problems(409, *WRITE)},
)
def create_item(request: Request, new: NewItem) -> Response:
    """Create an item; the SKU must be free."""
    item = table.create(new)
    headers = {"Location": _path(request, item.sku), "ETag": str(stored_item.entity_tag(item))}
    return _json({"status": "created", "item": item.members()}, 201, headers)


@router.get("/inventory", responses={200: {"model": Page}, **problems(422, *READ)})
def list_items(
    limit: Annotated[int, Query(ge=1, le=100, description="Items on the page.")] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """List the items, page by page, in no particular order."""
    items, last = table.page(limit, None if cursor is None else _decoded(cursor))
    next_cursor = None if last is None else page_cursor.encode(last)
    return _json({"items": [item.members() for item in items], "next_cursor": next_cursor}, 200, {})


@router.get(
    "/inventory/{sku}",
    responses={
        200: {"model": Item, "headers": _ETAG},
        304: {"description": "The item is as If-None-Match says.", "headers": _ETAG},
        **problems(404, 422, *READ),
    },
)
def read_item(
    sku: SkuPath,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags that the client has; 304 when one is current.")
    ] = None,
) -> Response:
    """Read one item."""
    item = table.get(sku)
    if _is_known(if_none_match, stored_item.entity_tag(item)):
        headers = {"ETag": str(stored_item.entity_tag(item))}
        return Response(status_code=304, headers=headers)
    return answer(item)


@router.put(
    "/inventory/{sku}",
    dependencies=[Depends(require_api_key)],
    responses={
        200: {"model": Item, "description": "The item was replaced.", "headers": _ETAG},
        201: {"model": Item, "description": "The item was created.", "headers": {**_LOCATION, **_ETAG}},
        **problems(412, *WRITE),
    },
)
def replace_item(
    request: Request,
    sku: SkuPath,
    replacement: Replacement,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Replace the whole item, or create it; fields that are left out are removed."""
    if replacement.sku not in {None, sku}:
        raise validation_problem([{"loc": ("body", "sku"), "msg": "must equal the SKU in the path, or be left out"}])
    item, is_new = table.replace(sku, replacement, precondition.condition(if_match, if_none_match))
    if is_new:
        return answer(item, 201, {"Location": _path(request, sku)})
    return answer(item)


@router.delete(
    "/inventory/{sku}",
    dependencies=[Depends(require_api_key)],
    responses={200: {"model": Deleted}, **problems(400, 401, 412, 422, *READ)},
)
def delete_item(sku: SkuPath, if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Response:
    """Delete the item; deleting one that is absent succeeds as well."""
    table.delete(sku, precondition.condition(if_match, if_none_match))
    return _json({"status": "deleted", "sku": sku}, 200, {})


def _json(value: Any, status: int, headers: dict[str, str]) -> Response:
    return Response(json_text.text(value), status_code=status, headers=headers, media_type="application/json")


def _path(request: Request, sku: str) -> str:
    return f"{request.scope.get('root_path', '')}/inventory/{sku}"


def _decoded(cursor: str) -> str:
    try:
        return page_cursor.decode(cursor)
    except ValueError as error:
        message = "must be the next_cursor of an earlier page, unchanged; leave it out to begin anew"
        raise validation_problem([{"loc": ("query", "cursor"), "msg": message}]) from error


def _is_known(if_none_match: str | None, current: http_headers.EntityTag) -> bool:
    try:
        return if_none_match is not None and http_headers.parse(if_none_match).matches_weakly(current)
    except ValueError:
        # On a read the header only saves bytes; one that cannot be understood saves none.
        return False
