"""The HTTP side: routes, keys, headers, errors.

Source: Claude Platform documentation, "API overview" (Authentication, Request size limits), "Versions", "Create a
Message", "List Models" and "Claude API errors".
"""

from __future__ import annotations

import hmac
import itertools
import json
from typing import Any, Final
from urllib.parse import unquote

from emulator.backing_services.anthropic.errors import ApiError, invalid
from emulator.backing_services.anthropic.message import identifier, message
from emulator.backing_services.anthropic.prompt_cache import PromptCache
from emulator.backing_services.anthropic.rules import MODELS, check_rules
from emulator.backing_services.loopback_server import LoopbackServer
from emulator.http_server import Request, Response

MAXIMUM_REQUEST_BYTES: Final = 32 * 1024 * 1024
VERSIONS: Final = ("2023-06-01", "2026-10-21")
INVALID_KEY_PREFIX: Final = "invalid"
"""A key that begins so is refused even when any other is accepted: a wrong key can be tried without configuring one."""


class Anthropic(LoopbackServer):
    """The Messages API on the loopback interface: POST /v1/messages and GET /v1/models.

    `port` 0 means a free one. With `api_key` only that key is accepted, without it any but `invalid…`.
    """

    def __init__(self, port: int = 0, api_key: str | None = None) -> None:
        super().__init__(port, MAXIMUM_REQUEST_BYTES)
        self._api_key = api_key
        self._cache = PromptCache()
        self._numbers = itertools.count(1)

    def _respond(self, request: Request) -> Response:
        request_id = identifier("req_01", str(next(self._numbers)))
        status = 200
        try:
            body = self._answer(request)
        except ApiError as error:
            status, body = error.status, error.body(request_id)
        headers = ((b"content-type", b"application/json; charset=utf-8"), (b"request-id", request_id.encode()))
        return Response(status, headers, json.dumps(body).encode())

    def _answer(self, request: Request) -> dict[str, Any]:
        path = unquote(request.target.decode("latin-1").partition("?")[0])
        route = (request.method, path)
        if route not in (("POST", "/v1/messages"), ("GET", "/v1/models")):
            raise ApiError(404, f"{request.method} {path}: the emulator's fake does not know this endpoint")
        key = _authenticate(request, self._api_key)
        _require_version(request)
        if route[0] == "GET":
            return _models()
        if request.is_too_large:
            raise ApiError(413)
        return self._message(key, _json(request.body))

    def _message(self, key: str, body: Any) -> dict[str, Any]:
        # Not before they are needed: pydantic takes longer to import than a start may.
        from emulator.backing_services.anthropic.faulty_model import apply_fault, chosen_fault
        from emulator.backing_services.anthropic.model import reply_to
        from emulator.backing_services.anthropic.request import check_form

        request = check_form(body)
        check_rules(request)
        # The model is plain computation of about a millisecond; a thread would cost more than it would free.
        request, reply = apply_fault(chosen_fault(key), request, reply_to(request))
        return message(request, reply, self._cache.account(request))


def _authenticate(request: Request, required_key: str | None) -> str:
    """Return the key of a request; `x-api-key` wins over `Authorization: Bearer`. Raises ApiError 401."""
    key, reason = _header(request, b"x-api-key").strip(), "invalid x-api-key"
    if not key:
        scheme, _, token = _header(request, b"authorization").partition(" ")
        key, reason = (token.strip() if scheme.lower() == "bearer" else ""), "Invalid bearer token"
    if not key:
        raise ApiError(401, "x-api-key header is required")
    given = key.encode(errors="surrogateescape")
    is_wrong = required_key is not None and not hmac.compare_digest(given, required_key.encode())
    if is_wrong or key.startswith(INVALID_KEY_PREFIX):
        raise ApiError(401, reason)
    return key


def _require_version(request: Request) -> None:
    version = _header(request, b"anthropic-version")
    if not version:
        raise invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        raise invalid(f'anthropic-version: "{version}" is not a valid version')


def _models() -> dict[str, Any]:
    data = [{"type": "model", "id": model, "display_name": f"{model} (fake)"} for model in MODELS]
    return {"data": data, "first_id": data[0]["id"], "last_id": data[-1]["id"], "has_more": False}


def _header(request: Request, name: bytes) -> str:
    return (request.header(name) or b"").decode(errors="surrogateescape")


def _json(content: bytes) -> Any:
    try:
        body = json.loads(content)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise invalid("The request body is not valid JSON: no low surrogate in string") from None
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None
    return body
