"""Refusals as problem details (RFC 9457, "Problem Details for HTTP APIs")."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """A refusal that ends the request.

    `detail` is one sentence for a person that says what to do; `errors` lists the single mistakes of a request that
    failed validation. The type is always about:blank, so the title is the phrase of the status (RFC 9457 section
    4.2.1).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status, detail=detail, headers=dict(headers or {}))
        self.errors = list(errors)


def answer(request: Request, problem: Problem) -> Response:
    """Return the response for `problem`, carrying the id of the request."""
    return Response(
        body(problem, request_id(request)),
        status_code=problem.status_code,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def body(problem: Problem, identifier: str) -> bytes:
    """Return the JSON text of `problem` in UTF-8."""
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.detail,
        "request_id": identifier,
    }
    if problem.errors:
        members["errors"] = problem.errors
    # ASCII escapes: a lone surrogate of the request, quoted in an answer, must not make the answer fail.
    return json.dumps(members, separators=(",", ":")).encode()


def request_id(request: Request) -> str:
    """Return the id that API Gateway, the load balancer or Lambda gave to `request`; "-" outside all of them."""
    identifier: str = request.scope.get("state", {}).get("request_id", "-")
    return identifier


def unavailable(detail: str) -> Problem:
    """Return a 503 that asks to come back in a second."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"})
