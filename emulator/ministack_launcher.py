"""MiniStack with two of its habits changed. Run by MiniStack's own interpreter; imports nothing of this repository.

1. MiniStack evaluates bucket policies, `aws:SecureTransport` included, and takes the transport from the scheme or from
   a TLS terminator's `X-Forwarded-Proto`. The template refuses plain http, and the local endpoint is plain http on the
   loopback interface, where nobody listens in. A request that says nothing is therefore taken as one that TLS
   protected; `X-Forwarded-Proto: http` still shows what the policy does.
2. `POST /_ministack/reset` forgets roles, sessions and secrets too. A running function would be left with credentials
   and a secret's ARN that mean nothing any more, so these stay; the stack puts their contents back.
"""

from __future__ import annotations

import importlib
from typing import Any

SURVIVE_A_RESET = ("iam", "sts", "secretsmanager")
_FORWARDED_PROTOCOL = b"x-forwarded-proto"


class OverTls:
    """An ASGI application that adds `X-Forwarded-Proto: https` to HTTP requests that carry no such header."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on (ASGI specification, "HTTP & WebSocket ASGI Message Format")."""
        if scope["type"] == "http" and all(name != _FORWARDED_PROTOCOL for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (_FORWARDED_PROTOCOL, b"https")]}
        await self._application(scope, receive, send)


def main() -> None:
    """Serve MiniStack until SIGTERM, configured by its own environment variables."""
    server: Any = importlib.import_module("ministack.app")
    server.app = OverTls(server.app)
    for name in SURVIVE_A_RESET:
        service: Any = importlib.import_module(f"ministack.services.{name}")
        if not callable(service.reset):  # what `_reset_all_state` looks for
            raise SystemExit(f"MiniStack's {name} cannot be reset any more: adapt {__file__}.")
        service.reset = lambda: None
    server.main()


if __name__ == "__main__":
    main()
