"""Refusals as problem details (RFC 9457, "Problem Details for HTTP APIs")."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, g

from shopping_bot import json_text

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818  RFC 9457's noun
    """A refusal that ends the request.

    `detail` is one sentence for a person that says what to do; `members` are extension members (RFC 9457 section
    3.2). The type is always about:blank, so the title is the phrase of the status (section 4.2.1).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})


def unavailable(detail: str, retry_after_seconds: int | None = 1) -> Problem:
    """Return a 503; with `retry_after_seconds` it asks to come back then."""
    headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers)


def answer(problem: Problem) -> Response:
    """Return the response for `problem`, carrying the id of the request."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id(),
        **problem.members,
    }
    return Response(json_text.dump(body), problem.status, problem.headers, content_type=MEDIA_TYPE)


def request_id() -> str:
    """Return the id that API Gateway, the load balancer or Lambda gave to the request; "-" outside all of them."""
    identifier: str = g.get("request_id", "-")
    return identifier
