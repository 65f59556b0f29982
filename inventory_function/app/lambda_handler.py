"""The Lambda handler: one event in, one proxy answer out."""

from __future__ import annotations

import asyncio
import atexit
import os
from typing import Any

import anyio.to_thread
from mangum import Mangum
from starlette.types import Receive, Scope, Send

from app.main import app
from lambda_http import aws_clients, proxy_answer, proxy_event
from lambda_http.problem import MEDIA_TYPE

_ROUTES = tuple(path for route in app.routes if (path := getattr(route, "path", None)))


async def _rooted(scope: Scope, receive: Receive, send: Send) -> None:
    # ASGI: `path` includes `root_path`; links in /docs need the part that the stage put in front.
    root_path = scope["aws.event"][proxy_event.ROOT_PATH]
    if root_path:
        scope = {**scope, "root_path": root_path, "path": root_path + scope["path"]}
    await app(scope, receive, send)


_loop = asyncio.new_event_loop()
atexit.register(_loop.close)
asyncio.set_event_loop(_loop)
# anyio imports its asyncio part at the first use, which would be the first request; the init phase has processor to
# spare.
_loop.run_until_complete(anyio.to_thread.run_sync(bool))
_mangum = Mangum(_rooted, lifespan="off", text_mime_types=["text/", "application/json", MEDIA_TYPE])

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    # Each execution environment starts from the snapshot: there, laziness would make every one of them pay for what one
    # could have paid for. Clients hold no connection yet, and credentials are refreshed when they have expired (AWS
    # Lambda Developer Guide, "Improving startup performance with Lambda SnapStart").
    aws_clients.dynamodb()
    aws_clients.s3()
    aws_clients.secretsmanager()


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer `event`, an HTTP request of an HTTP API, a REST API or a load balancer, in the same format.

    Raises UnsupportedEventError for anything else; every other failure is an answer with status 500.
    """
    prepared = proxy_event.prepare(event, context, routes=_ROUTES)
    asyncio.set_event_loop(_loop)  # Mangum runs the current one
    return proxy_answer.shape(event, _mangum(prepared, context))
