"""The HTTP server: routes, headers, the API key, and errors in Elasticsearch's words.

Source: Elasticsearch 8.19 reference, "REST APIs", "REST API compatibility" (media types). The official clients take a
response only with `X-Elastic-Product: Elasticsearch`.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator.backing_services.elasticsearch.endpoints import Endpoints
from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.index import Indices
from emulator.backing_services.elasticsearch.wire import json_response
from emulator.backing_services.loopback_server import LoopbackServer

_MAXIMUM_BODY_BYTES = 100 * 1024 * 1024  # http.max_content_length
_REALMS = ['Basic realm="security", charset="UTF-8"', "ApiKey"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Elasticsearch(LoopbackServer):
    """A node on the loopback interface whose data live as long as it runs.

    `port` 0 means a free one. With an `api_key` (the base64 text that clients send after `ApiKey`) every request must
    carry it; setting the attribute on a running node rotates the key.
    """

    def __init__(self, *, port: int = 0, api_key: str | None = None) -> None:
        super().__init__(port)
        self.api_key = api_key
        self.indices = Indices()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_MAXIMUM_BODY_BYTES, middlewares=[self._responded])
        application.on_response_prepare.append(_sign)
        application.router.add_routes(Endpoints(self.indices).routes())
        return application

    @web.middleware
    async def _responded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            self._authenticate(request)
            return await handler(request)
        except ElasticsearchError as error:
            headers = [("WWW-Authenticate", value) for value in _REALMS] if error.status == 401 else []
            return json_response(request, error.body(), status=error.status, headers=headers)
        except web.HTTPRequestEntityTooLarge:
            return json_response(request, {"error": "the body is too large", "status": 413}, status=413)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            reason = f"no handler found for uri [{request.path}] and method [{request.method}]"
            return json_response(request, {"error": reason, "status": 400}, status=400)

    def _authenticate(self, request: web.Request) -> None:
        if self.api_key is None:
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        key = given.strip().encode(errors="surrogateescape")
        if scheme.lower() == "apikey" and hmac.compare_digest(key, self.api_key.encode()):
            return
        reason = (
            "unable to authenticate with provided credentials and anonymous access is not allowed for this request"
            if given
            else f"missing authentication credentials for REST request [{request.path}]"
        )
        raise ElasticsearchError(401, "security_exception", reason, header={"WWW-Authenticate": _REALMS})


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Elastic-Product"] = "Elasticsearch"
