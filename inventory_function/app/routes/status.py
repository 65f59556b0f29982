"""GET /: the service is there."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from app.openapi import problems

router = APIRouter(tags=["status"])


class Status(BaseModel):
    """The answer of GET /."""

    status: Literal["ok"] = "ok"
    message: str = "The inventory service is running; see /docs."
    service: Literal["inventory"] = "inventory"


@router.get("/", responses=problems(500))
async def read_status() -> Status:
    """Say that the service runs; touches no backing service."""
    return Status()
