"""Routes whose body is JSON: read by app.json_text, and taken from clients that do not name its type."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app import json_text
from app.problem import Problem

MAXIMUM_BODY_BYTES = 64 * 1024

# `curl -d` says application/x-www-form-urlencoded whatever it sends, and many clients say text/plain or nothing.
_VAGUE_TYPES = {"", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"}


class JsonRoute(APIRoute):
    """A route that parses its body strictly. Raises Problem 415 for a body that says it is something else than JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of FastAPI behind the strict request."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            if self.body_field is None:
                return await handle(request)
            _check_type(request.headers.get("content-type", ""))
            others = [(name, value) for name, value in request.scope["headers"] if name.lower() != b"content-type"]
            scope = {**request.scope, "headers": [*others, (b"content-type", b"application/json")]}
            return await handle(_JsonRequest(scope, request.receive))

        return handle_json


class _JsonRequest(Request):
    async def json(self) -> Any:
        return json_text.parse(await self.body())


def _check_type(header: str) -> None:
    media_type = header.partition(";")[0].strip().lower()
    if media_type not in _VAGUE_TYPES and not media_type.endswith(("/json", "+json")):
        raise Problem(415, "Send the body as JSON, with Content-Type: application/json.")
