"""The HTTP server: routes, the API key, and errors in Elasticsearch's words.

Source: Elasticsearch 8.19 reference, "REST APIs", "REST API compatibility" (media types).
"""

from __future__ import annotations

import hmac

from emulator.backing_services.elasticsearch.endpoints import Endpoints
from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.index import Indices
from emulator.backing_services.elasticsearch.wire import MAXIMUM_BODY_BYTES, Call, header, json_response
from emulator.backing_services.loopback_server import LoopbackServer
from emulator.http_server import Request, Response

_REALMS = ['Basic realm="security", charset="UTF-8"', "ApiKey"]


class Elasticsearch(LoopbackServer):
    """A node on the loopback interface whose data live as long as it runs.

    `port` 0 means a free one. With an `api_key` (the base64 text that clients send after `ApiKey`) every request must
    carry it; setting the attribute on a running node rotates the key.
    """

    def __init__(self, *, port: int = 0, api_key: str | None = None) -> None:
        super().__init__(port, MAXIMUM_BODY_BYTES)
        self.api_key = api_key
        self.indices = Indices()
        self._endpoints = Endpoints(self.indices)

    def _respond(self, request: Request) -> Response:
        accept = header(request, b"accept")
        try:
            self._authenticate(request)
            if request.is_too_large:
                return json_response(accept, {"error": "the body is too large", "status": 413}, status=413)
            return self._endpoints.respond(Call.of(request))
        except ElasticsearchError as error:
            headers = [("WWW-Authenticate", value) for value in _REALMS] if error.status == 401 else []
            return json_response(accept, error.body(), status=error.status, headers=headers)

    def _authenticate(self, request: Request) -> None:
        if self.api_key is None:
            return
        scheme, _, given = header(request, b"authorization").partition(" ")
        key = given.strip().encode(errors="surrogateescape")
        if scheme.lower() == "apikey" and hmac.compare_digest(key, self.api_key.encode()):
            return
        path = request.target.decode("latin-1").partition("?")[0]
        reason = (
            "unable to authenticate with provided credentials and anonymous access is not allowed for this request"
            if given
            else f"missing authentication credentials for REST request [{path}]"
        )
        raise ElasticsearchError(401, "security_exception", reason, header={"WWW-Authenticate": _REALMS})
