"""The HTTP side: routes, headers, refusals, whole answers and streams."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from emulator.backing_services.anthropic.access import (
    DEFAULT_REQUESTS_PER_MINUTE,
    RateLimit,
    authenticate,
    require_version,
)
from emulator.backing_services.anthropic.errors import ApiError, invalid
from emulator.backing_services.anthropic.messages import identifier, message
from emulator.backing_services.anthropic.misbehaviour import chosen, distort, misbehave
from emulator.backing_services.anthropic.model import answer
from emulator.backing_services.anthropic.models import MODELS, model_info, model_list
from emulator.backing_services.anthropic.streaming import encode, events
from emulator.backing_services.anthropic.usage import PromptCache, input_tokens
from emulator.backing_services.anthropic.validation import check_count_request, check_request
from emulator.backing_services.loopback_server import LoopbackServer

MAXIMUM_REQUEST_BYTES: Final = 32 * 1024 * 1024
ORGANIZATION: Final = "00000000-0000-4000-8000-000000000000"
_Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Anthropic(LoopbackServer):
    """The Messages API on the loopback interface.

    `port` 0 means a free one. With `api_key` only that key is accepted, without it any but `invalid…`. A key may use
    `requests_per_minute`; more are answered 429.

    `misbehaviour` (one of MISBEHAVIOURS) makes the model err; a key that contains `misbehave:NAME` does so for the
    requests that carry it. `slow_seconds` is how long the misbehaviour `slow` takes.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str | None = None,
        *,
        requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE,
        misbehaviour: str | None = None,
        slow_seconds: float = 3.0,
    ) -> None:
        super().__init__(port)
        self._api_key = api_key
        self._limit = RateLimit(requests_per_minute)
        self._cache = PromptCache()
        self._numbers = itertools.count(1)
        self.misbehaviour = misbehaviour
        self.slow_seconds = slow_seconds

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=MAXIMUM_REQUEST_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        request_id = identifier("req_01", str(next(self._numbers)))
        try:
            return await self._route(request)(request, request_id)
        except web.HTTPRequestEntityTooLarge:
            error = ApiError(413)
        except ApiError as refusal:
            error = refusal
        headers = _headers(request_id)
        if error.retry_after_seconds is not None:
            headers["retry-after"] = str(error.retry_after_seconds)
        return web.json_response(error.body(request_id), status=error.status, headers=headers)

    def _route(self, request: web.Request) -> _Handler:
        path = request.path.rstrip("/")
        routes: dict[str, tuple[str, _Handler]] = {
            "/v1/messages": ("POST", self._create),
            "/v1/messages/count_tokens": ("POST", self._count),
            "/v1/models": ("GET", self._list_models),
        }
        if path.startswith("/v1/models/"):
            routes[path] = ("GET", self._get_model)
        if path not in routes:
            raise ApiError(404, "Not Found")
        method, handler = routes[path]
        if request.method != method:
            raise ApiError(405, "Method Not Allowed")
        return handler

    async def _create(self, request: web.Request, request_id: str) -> web.StreamResponse:
        key = self._admit(request)
        limits = self._limit.admit(key)
        body = check_request(await _json(request))
        misbehaviour = chosen(key, self.misbehaviour)
        if misbehaviour == "slow":
            await asyncio.sleep(self.slow_seconds)
        # The model is plain computation of about a millisecond; a thread would cost more than it would free.
        said = misbehave(misbehaviour, body, answer(body))
        made = distort(misbehaviour, message(body, said, self._cache.account(body, key)))
        headers = _headers(request_id) | limits
        if misbehaviour == "no-json":
            return web.Response(text="<html>Bad gateway</html>", content_type="text/html", headers=headers)
        if body.get("stream"):
            return await _stream(request, made, headers, drop=misbehaviour == "dropping")
        if misbehaviour == "dropping":
            return await _begin_and_drop(request, made, headers)
        return web.json_response(made, headers=headers)

    async def _count(self, request: web.Request, request_id: str) -> web.StreamResponse:
        self._admit(request)
        body = check_count_request(await _json(request))
        return web.json_response({"input_tokens": input_tokens(body)}, headers=_headers(request_id))

    async def _list_models(self, request: web.Request, request_id: str) -> web.StreamResponse:
        self._admit(request)
        limit = request.query.get("limit", "20")
        if not limit.isdigit() or not 0 < int(limit) <= 1000:
            raise invalid("limit: Input should be a valid integer from 1 to 1000")
        return web.json_response(model_list(int(limit), request.query.get("after_id")), headers=_headers(request_id))

    async def _get_model(self, request: web.Request, request_id: str) -> web.StreamResponse:
        self._admit(request)
        model = request.path.rstrip("/").rpartition("/")[2]
        if model not in MODELS:
            raise ApiError(404, f"model: {model}")
        return web.json_response(model_info(model), headers=_headers(request_id))

    def _admit(self, request: web.Request) -> str:
        headers = {name.lower(): value for name, value in request.headers.items()}
        key = authenticate(headers, self._api_key)
        require_version(headers)
        return key


def _headers(request_id: str) -> dict[str, str]:
    return {"request-id": request_id, "anthropic-organization-id": ORGANIZATION}


async def _json(request: web.Request) -> Any:
    try:
        body = json.loads(await request.read())
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise invalid("The request body is not valid JSON: no low surrogate in string") from None
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None
    return body


async def _stream(
    request: web.Request, made: Mapping[str, Any], headers: Mapping[str, str], *, drop: bool
) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "cache-control": "no-cache"})
    response.content_type, response.charset = "text/event-stream", "utf-8"
    await response.prepare(request)
    for event in events(made):
        if drop and event[0] == "content_block_delta":
            _abort(request)
            return response
        await response.write(encode(event))
    await response.write_eof()
    return response


async def _begin_and_drop(
    request: web.Request, made: Mapping[str, Any], headers: Mapping[str, str]
) -> web.StreamResponse:
    body = json.dumps(made).encode()
    response = web.StreamResponse(headers={**headers, "content-length": str(len(body))})
    response.content_type = "application/json"
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    _abort(request)
    return response


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
