"""Routes that refuse a body that is too large, and read a JSON body strictly."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from lambda_http import json_body
from lambda_http.json_body import MAXIMUM_BODY_BYTES


class StrictRoute(APIRoute):
    """A route whose body is small, and JSON if the route has one.

    Raises Problem 413 for a body of more than MAXIMUM_BODY_BYTES, also where the route takes none; 415 for one that
    says it is something else than JSON; 400 for one that is no acceptable JSON.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of FastAPI behind the strict request."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            length = request.headers.get("content-length", "")
            if length.isdecimal() and (len(length) > 9 or int(length) > MAXIMUM_BODY_BYTES):
                raise json_body.too_large()
            if self.body_field is None:
                return await handle(request)
            json_body.check_type(request.headers.get("content-type", ""))
            return await handle(_JsonRequest(request, await request.body()))

        return handle_strictly


class _JsonRequest(Request):
    """A request whose body was read, and is JSON whatever it says it is."""

    def __init__(self, request: Request, body: bytes) -> None:
        others = [(name, value) for name, value in request.scope["headers"] if name.lower() != b"content-type"]
        super().__init__({**request.scope, "headers": [*others, (b"content-type", b"application/json")]})
        self._raw = body
        # Not in json(): FastAPI makes an answer of its own of what that raises.
        self._value = json_body.parse(body) if body else None

    async def body(self) -> bytes:
        return self._raw

    async def json(self) -> Any:
        return self._value
