"""The Lambda handler: one event in, one proxy answer out."""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from __future__ import annotations

import os
from typing import Any

import serverless_wsgi  # type: ignore[import-untyped]
from shopping_bot import create_app, proxy_event, snapshot
from shopping_bot.problem import MEDIA_TYPE

# serverless-wsgi reads these at each request; the stage is taken off in shopping_bot.proxy_event, which knows every
# source of events.
os.environ["STRIP_STAGE_PATH"] = "true"
os.environ.pop("API_GATEWAY_BASE_PATH", None)
serverless_wsgi.TEXT_MIME_TYPES.append(MEDIA_TYPE)

application = create_app("lambda")
snapshot.prepare(application)


def _rooted(environ: dict[str, Any], start_response: Any) -> Any:
    # WSGI: SCRIPT_NAME is what comes before the application's own path.
    environ["SCRIPT_NAME"] = environ["serverless.event"][proxy_event.ROOT_PATH]
    return application(environ, start_response)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer `event`, an HTTP request of an HTTP API, a REST API or a load balancer, in the same format.

    Raises UnsupportedEventError for anything else; every other failure is an answer with status 500.
    """
    prepared = proxy_event.prepare(event)
    return proxy_event.answer(event, serverless_wsgi.handle_request(_rooted, prepared, context))
