"""An OpenID Connect issuer on this machine: it hands out tokens that a JWT authorizer accepts.

`python -m emulator.gateway.token_issuer --port 8090` serves `/.well-known/openid-configuration`, `/jwks.json` and
`POST /token`, whose JSON body holds the claims (RFC 7519; RFC 7517; OpenID Connect Discovery 1.0). Name its address as
the issuer of a local run. Whoever reaches the port gets any token: it belongs on a laptop and nowhere else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from emulator.http_server import Header, HttpServer, Request, Response

_JSON: Header = (b"content-type", b"application/json")
_KEY_BITS = 2048
_TOKEN_SECONDS = 3600


class TokenIssuer:
    """Signs with one RSA key of its own. `start` makes it reachable under `url`."""

    def __init__(self, key_id: str = "local") -> None:
        self.key_id = key_id
        self.fetched: list[str] = []
        """The paths that were asked for, in order."""
        self._key = rsa.generate_private_key(65537, _KEY_BITS)
        self._server = HttpServer(self._handle)

    @property
    def url(self) -> str:
        """Return the issuer's name, which is also where it answers."""
        return f"http://127.0.0.1:{self._server.port}"

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback interface. Raises `OSError` when something else listens there."""
        await self._server.start("127.0.0.1", port)

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def token(self, claims: Mapping[str, Any], *, key_id: str | None = None) -> str:
        """Return a token with `claims`; `iss`, `iat` and `exp` (in an hour) are added where they are not given.

        A claim that is None is left out.
        """
        now = int(time.time())
        whole = {"iat": now, "exp": now + _TOKEN_SECONDS, **claims}
        if "iss" not in whole:
            whole["iss"] = self.url
        present = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(present, self._key, "RS256", headers={"kid": key_id or self.key_id})

    def _handle(self, request: Request) -> None:
        path = request.target.decode("latin-1")
        self.fetched.append(path)
        if path == "/.well-known/openid-configuration":
            self._answer(request, {"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"})
        elif path == "/jwks.json":
            public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
            self._answer(request, {"keys": [{**public, "kid": self.key_id, "alg": "RS256", "use": "sig"}]})
        elif path == "/token" and request.method == "POST":
            self._hand_out(request)
        else:
            request.respond(Response(404, (_JSON,), b'{"error":"not_found"}'))

    def _hand_out(self, request: Request) -> None:
        try:
            claims = json.loads(request.body or b"{}")
            token = self.token(claims)
        except (ValueError, TypeError, AttributeError):
            request.respond(Response(400, (_JSON,), b'{"error":"invalid_request"}'))
            return
        self._answer(request, {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS})

    def _answer(self, request: Request, document: Mapping[str, Any]) -> None:
        request.respond(Response(200, (_JSON,), json.dumps(document).encode()))


async def _serve(port: int) -> None:
    issuer = TokenIssuer()
    await issuer.start(port)
    print(f"Issuer: {issuer.url}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await issuer.stop()


def main() -> int:
    """Run until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m emulator.gateway.token_issuer", description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    try:
        asyncio.run(_serve(parser.parse_args().port))
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
