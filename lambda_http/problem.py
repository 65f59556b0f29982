"""What ends a request early, as problem details (RFC 9457, "Problem Details for HTTP APIs")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
INTERNAL_ERROR = "The service failed to handle this request; try again, and report the request_id if it stays so."
"""The `detail` of a 500: nobody expected it, so there is nothing else to say."""
_RENAMED = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
"""Phrases of RFC 9110 (section 15.5) for which Python before 3.13 has those of older documents."""


class Problem(Exception):  # noqa: N818  RFC 9457's noun
    """A problem that ends the request; a route raises it, and an error handler answers with `body`.

    `detail` is one sentence for a person that says what to do. `members` are extension members (RFC 9457 section 3.2),
    such as `errors`, the single mistakes of a request that failed validation. The type is always about:blank, so the
    title is the phrase of the status (section 4.2.1).
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
        self.status = int(status)
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def body(self, request_id: str) -> bytes:
        """Return the JSON text of the problem, of media type MEDIA_TYPE, that names the request `request_id`."""
        members = {
            "type": "about:blank",
            "title": _RENAMED.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
            **self.members,
        }
        # In ASCII: half a surrogate pair of the request, quoted in a problem, must not make the answer fail.
        return json.dumps(members, separators=(",", ":")).encode()


def unavailable(
    detail: str, retry_after_seconds: int | None = 1, *, members: Mapping[str, Any] | None = None
) -> Problem:
    """Return a 503 that asks to come back after `retry_after_seconds`; None where coming back cannot help, or harms."""
    headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers, members=members)
