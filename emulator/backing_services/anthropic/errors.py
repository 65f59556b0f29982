"""Errors of the Messages API: status, type, message and the body they travel in.

Source: Claude Platform documentation, "Claude API errors" (HTTP errors, Error shapes, Request id).
"""

from __future__ import annotations

import json
from typing import Any, Final

from emulator.fault_injection import ErrorBody, Head, HttpWire

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_MESSAGES: Final = {
    401: "invalid x-api-key",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit. Please try again later.",
    500: "Internal server error",
    504: "Request timed out",
    529: "Overloaded",
}


class ApiError(Exception):
    """A response that is not 2xx."""

    def __init__(self, status: int, message: str | None = None) -> None:
        self.status = status
        self.type = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        self.message = message or _MESSAGES.get(status, "The request was refused")
        super().__init__(self.message)

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the JSON body."""
        return {"type": "error", "error": {"type": self.type, "message": self.message}, "request_id": request_id}


def invalid(message: str) -> ApiError:
    """Return the error for a request whose form or content is wrong."""
    return ApiError(400, message)


def _injected(status: int, _: Head) -> ErrorBody:
    request_id = "req_01FaultOfTheEmulator"
    return ErrorBody(json.dumps(ApiError(status).body(request_id)).encode(), headers={"request-id": request_id})


WIRE: Final = HttpWire(_injected, usual_status=529)
"""How the proxy in front of the API words an error that it was told to answer with."""
