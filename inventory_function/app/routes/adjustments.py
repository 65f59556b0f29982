"""Adjustments of an item's quantity."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from app import adjustments
from app.api_key import require_api_key
from app.models import Adjustment, Item
from app.openapi import WRITE, header, problems
from app.routes.items import SkuPath, answer
from app.routes.json_route import JsonRoute

router = APIRouter(tags=["items"], route_class=JsonRoute)

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


@router.post(
    "/inventory/{sku}/adjustments",
    dependencies=[Depends(require_api_key)],
    responses={
        200: {"model": Item, "headers": {"ETag": header("Strong entity tag of the item.")}},
        **problems(404, 409, *WRITE),
    },
)
def adjust_item(sku: SkuPath, wanted: Adjustment, idempotency_key: IdempotencyKey = None) -> Response:
    """Add to the quantity, or take from it, atomically; it never goes below zero."""
    if idempotency_key is None:
        return answer(adjustments.adjust(sku, wanted.delta))
    return answer(adjustments.adjust_once(sku, wanted.delta, idempotency_key))
