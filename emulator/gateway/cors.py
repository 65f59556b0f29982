"""CORS of HTTP APIs.

Source: API Gateway Developer Guide, "Configure CORS for HTTP APIs in API Gateway". What a route answers to OPTIONS is
its own affair, its CORS headers are not: API Gateway ignores them and adds those of the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.http_server import Header

_PREFIX = b"access-control-"


class Cors:
    """A CorsConfiguration: what is added to an answer, and the answer to a preflight request that no route takes."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._origins = tuple(str(origin) for origin in configuration.get("allowOrigins") or ())
        self._credentials = configuration.get("allowCredentials") in (True, "true")
        self._expose = _joined(configuration.get("exposeHeaders"))
        self._preflight: list[Header] = []
        if methods := _joined(configuration.get("allowMethods")):
            self._preflight.append((b"access-control-allow-methods", methods))
        if headers := _joined(configuration.get("allowHeaders")):
            self._preflight.append((b"access-control-allow-headers", headers))
        if configuration.get("maxAge") is not None:
            self._preflight.append((b"access-control-max-age", str(configuration["maxAge"]).encode()))

    def applied(self, headers: Sequence[Header], origin: bytes | None, *, is_preflight: bool) -> list[Header]:
        """Return an answer's headers with its CORS headers replaced by the configured ones."""
        kept = [header for header in headers if not header[0].lower().startswith(_PREFIX)]
        if origin is None:
            return kept
        allowed = self._allowed(origin)
        if allowed is None:
            return kept
        kept.append((b"access-control-allow-origin", allowed))
        if self._credentials:
            kept.append((b"access-control-allow-credentials", b"true"))
        if is_preflight:
            kept += self._preflight
        elif self._expose:
            kept.append((b"access-control-expose-headers", self._expose))
        return kept

    def _allowed(self, origin: bytes) -> bytes | None:
        text = origin.decode("latin-1")
        for pattern in self._origins:
            if pattern == "*":
                return b"*"
            if pattern == text or (pattern in ("http://*", "https://*") and text.startswith(pattern[:-1])):
                return origin
        return None


def is_preflight(method: str, origin: bytes | None, requested_method: bytes | None) -> bool:
    """Tell whether a request is a preflight request: without both headers OPTIONS is a method like any other."""
    return method == "OPTIONS" and origin is not None and requested_method is not None


def _joined(values: Sequence[str] | str | None) -> bytes:
    if isinstance(values, str):
        values = [values]
    return ",".join(values or ()).encode()
