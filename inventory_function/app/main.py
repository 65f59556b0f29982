"""The FastAPI application, put together."""

from fastapi import FastAPI

from app import errors, openapi
from app.observability import Observation
from app.routes import adjustments, files, items, status
from app.routes.json_route import MAXIMUM_BODY_BYTES


def create_application() -> FastAPI:
    """Return the inventory API. It reads no setting and makes no client before a route needs one."""
    application = FastAPI(
        # Not include_router(): it builds every route a second time, at the first request.
        routes=[route for module in (status, items, adjustments, files) for route in module.router.routes],
        title="Shop inventory",
        version="1.0.0",
        description="Items by SKU, their stock, and file downloads. Errors are problem details (RFC 9457).",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        # A redirect to the path without its slash would lose the body of a write with some clients.
        redirect_slashes=False,
        max_body_size=MAXIMUM_BODY_BYTES,
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    errors.install(application)
    openapi.complete(application)
    application.add_middleware(Observation)
    return application
