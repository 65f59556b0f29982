"""The Lambda handler: one event in, one proxy answer out."""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import serverless_wsgi  # type: ignore[import-untyped]
from shopping_bot import create_app

from lambda_http import proxy_answer, proxy_event
from lambda_http.problem import MEDIA_TYPE

if TYPE_CHECKING:
    from flask import Flask

# serverless-wsgi reads these at each request; lambda_http knows the stage and the base path of every source of events.
os.environ["STRIP_STAGE_PATH"] = "true"
os.environ.pop("API_GATEWAY_BASE_PATH", None)
serverless_wsgi.TEXT_MIME_TYPES.append(MEDIA_TYPE)

# What routes otherwise import at their first use.
_LIBRARIES = ("concurrent.futures", "redis.backoff", "redis.exceptions", "redis.retry", "urllib3.exceptions")


def prepare_snapshot(application: Flask) -> None:
    """Make the extensions and the AWS clients when Lambda is about to take a snapshot; do nothing otherwise.

    A SnapStart snapshot is taken once, when a version is published, and every execution environment starts from it:
    there, laziness would make each of them pay for what one could have paid for. Nothing here opens a connection or
    reads the secret, and credentials are refreshed when they have expired.

    Source: AWS Lambda Developer Guide, "Improving startup performance with Lambda SnapStart" and "Defined runtime
    environment variables".
    """
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    from shopping_bot.extensions import extensions

    from lambda_http import aws_clients

    for library in _LIBRARIES:
        importlib.import_module(library)
    aws_clients.dynamodb()
    aws_clients.secretsmanager()
    with application.app_context():
        extensions().make_all()


application = create_app("lambda")
prepare_snapshot(application)
_ROUTES = tuple(rule.rule for rule in application.url_map.iter_rules())


def _rooted(environ: dict[str, Any], start_response: Any) -> Any:
    # WSGI: SCRIPT_NAME is what comes before the application's own path.
    environ["SCRIPT_NAME"] = environ["serverless.event"][proxy_event.ROOT_PATH].encode().decode("latin-1")
    return application(environ, start_response)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer `event`, an HTTP request of an HTTP API, a REST API, a function URL or a load balancer, in its format.

    Raises UnsupportedEventError for anything else; every other failure is an answer with status 500.
    """
    prepared = proxy_event.prepare(event, context, routes=_ROUTES)
    return proxy_answer.shape(event, serverless_wsgi.handle_request(_rooted, prepared, context))
