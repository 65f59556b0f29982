"""The inventory API. `app` is what Lambda's handler and any ASGI server run: `fastapi dev`, `uvicorn app.main:app`."""

from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel

from app import errors, openapi
from app.observability import Observability
from app.openapi import problems
from app.routes import docs, files, items
from app.routes.strict_route import StrictRoute

app = FastAPI(
    # Not include_router(): it builds every route a second time, at the first request.
    routes=[*items.router.routes, *files.router.routes, *docs.router.routes],
    title="Shop inventory",
    version="1.0.0",
    description="Items by SKU, their stock, and file downloads. Errors are problem details (RFC 9457).",
    docs_url=None,
    redoc_url=None,
    # A redirect to the path without its slash would lose the body of a write with some clients.
    redirect_slashes=False,
    telemetry={
        "tracing": False,
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
    },
)
app.router.route_class = StrictRoute
errors.install(app)
openapi.install(app)
app.add_middleware(Observability)


class Status(BaseModel):
    """The answer of GET /."""

    status: Literal["ok"] = "ok"
    message: str = "The inventory service is running; see /docs."
    service: Literal["inventory"] = "inventory"


@app.get("/", tags=["status"], responses=problems(413, 500))
async def read_status() -> Status:
    """Say that the service runs; touches no backing service."""
    return Status()
