"""Items: create, list, read, replace, adjust, delete.

The routes are coroutines although the calls in them block: an execution environment has one request at a time, and a
thread for it costs a fifth of the request's processor time.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from app import adjustments, conditions, replacement, stored_item, table
from app.api_key import require_api_key
from app.errors import validation_problem
from app.http_headers import is_known
from app.models import Adjustment, Created, Deleted, Item, NewItem, Page, Replacement, Sku
from app.openapi import READ, WRITE, header, problems
from app.routes.strict_route import StrictRoute
from lambda_http import json_text

router = APIRouter(tags=["items"], route_class=StrictRoute)

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
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Makes a retry harmless: for ten minutes the same key changes this item once.",
    ),
]

_ETAG = {"ETag": header("Strong entity tag of the item.")}
_LOCATION = {"Location": header("Path of the item.")}


@router.post(
    "/inventory",
    status_code=201,
    dependencies=[Depends(require_api_key)],
    responses={201: {"model": Created, "headers": {**_LOCATION, **_ETAG}}, **problems(409, *WRITE)},
)
async def create_item(request: Request, new: NewItem) -> Response:
    """Create an item; the SKU must be free."""
    item = table.create(new)
    headers = {"Location": _path(request, item.sku), "ETag": str(stored_item.entity_tag(item))}
    return _json({"status": "created", "item": item.members()}, 201, headers)


@router.get("/inventory", responses={200: {"model": Page}, **problems(422, *READ)})
async def list_items(
    limit: Annotated[int, Query(ge=1, le=100, description="Items on the page.")] = 20,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Response:
    """List the items, page by page, in no particular order."""
    try:
        items, unreadable, next_cursor = table.page(limit, cursor)
    except table.InvalidCursorError as error:
        message = "must be the next_cursor of an earlier page, unchanged; leave it out to begin anew"
        raise validation_problem([{"loc": ("query", "cursor"), "msg": message}]) from error
    page: dict[str, Any] = {"items": [item.members() for item in items], "next_cursor": next_cursor}
    return _json(page | ({"unreadable": unreadable} if unreadable else {}))


@router.get(
    "/inventory/{sku}",
    responses={
        200: {"model": Item, "headers": _ETAG},
        304: {"description": "The item is as If-None-Match says.", "headers": _ETAG},
        **problems(404, 409, 422, *READ),
    },
)
async def read_item(
    sku: SkuPath,
    if_none_match: Annotated[
        str | None, Header(alias="If-None-Match", description="ETags that the client has; 304 when one is current.")
    ] = None,
) -> Response:
    """Read one item."""
    item = table.get(sku)
    tag = stored_item.entity_tag(item)
    if is_known(if_none_match, tag):
        return Response(status_code=304, headers={"ETag": str(tag)})
    return _item_response(item)


@router.put(
    "/inventory/{sku}",
    dependencies=[Depends(require_api_key)],
    responses={
        200: {"model": Item, "description": "The item was replaced.", "headers": _ETAG},
        201: {"model": Item, "description": "The item was created.", "headers": {**_LOCATION, **_ETAG}},
        **problems(412, *WRITE),
    },
)
async def replace_item(
    request: Request,
    sku: SkuPath,
    wanted: Replacement,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Replace the whole item, or create it; fields that are left out are removed."""
    if wanted.sku not in {None, sku}:
        raise validation_problem([{"loc": ("body", "sku"), "msg": "must equal the SKU in the path, or be left out"}])
    item, is_new = replacement.replace(sku, wanted, conditions.condition(if_match, if_none_match))
    if is_new:
        return _item_response(item, 201, {"Location": _path(request, sku)})
    return _item_response(item)


@router.post(
    "/inventory/{sku}/adjustments",
    dependencies=[Depends(require_api_key)],
    responses={200: {"model": Item, "headers": _ETAG}, **problems(404, 409, *WRITE)},
)
async def adjust_item(sku: SkuPath, wanted: Adjustment, idempotency_key: IdempotencyKey = None) -> Response:
    """Add to the quantity, or take from it, atomically; it never goes below zero."""
    if idempotency_key is None:
        return _item_response(adjustments.adjust(sku, wanted.delta))
    return _item_response(adjustments.adjust_once(sku, wanted.delta, idempotency_key))


@router.delete(
    "/inventory/{sku}",
    dependencies=[Depends(require_api_key)],
    responses={200: {"model": Deleted}, **problems(400, 401, 412, 422, *READ)},
)
async def delete_item(sku: SkuPath, if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Response:
    """Delete the item; deleting one that is absent succeeds as well."""
    table.delete(sku, conditions.condition(if_match, if_none_match))
    return _json({"status": "deleted", "sku": sku})


def _item_response(item: Item, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return _json(item.members(), status, {"ETag": str(stored_item.entity_tag(item)), **(headers or {})})


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json_text.dump(value), status_code=status, headers=headers, media_type="application/json")


def _path(request: Request, sku: str) -> str:
    return f"{quote(request.scope.get('root_path', ''))}/inventory/{sku}"
