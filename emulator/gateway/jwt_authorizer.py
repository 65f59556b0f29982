"""JWT authorizers of HTTP APIs.

Source: API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers in API Gateway" (which claims are
checked, and how), "Quotas" (1.5 s and 150 000 bytes for the issuer's documents); RFC 6750, section 3, for the
challenge. Signatures are PyJWT's to check.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

import jwt

from emulator.gateway.definition import Authorizer

if TYPE_CHECKING:
    from emulator.gateway.http_api_events import HttpRequest

_ALGORITHMS = ("RS256", "RS384", "RS512")
"""API Gateway supports RSA alone."""
_FETCH_SECONDS = 1.5
_FETCH_BYTES = 150_000
_KEYS_SECONDS = 2 * 3600
_AGAIN_SECONDS = 1.0
"""From the end of one look for an unknown key to the next: made-up key ids must not make the gateway ask on."""


@dataclass(frozen=True)
class Checked:
    """A token's claims as events have them; without them what is wrong: `status`, `challenge` and the log's `error`."""

    claims: Mapping[str, str] | None = None
    scopes: Sequence[str] | None = None
    status: int = 401
    challenge: str = "Bearer"
    error: str = ""


class JwtAuthorizer:
    """Checks tokens of one issuer. Its keys are fetched when the first token comes, and kept for two hours."""

    def __init__(self, declared: Authorizer) -> None:
        self._issuer = declared.issuer
        self._audiences = frozenset(declared.audiences)
        self._sources = declared.identity_sources or ("$request.header.Authorization",)
        self._keys: dict[str, Any] = {}
        self._fresh_until = self._again_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def check(self, request: HttpRequest, scopes: Sequence[str]) -> Checked:
        """Check the request's token; with `scopes` it must have one of them."""
        token = self._token(request)
        if not token:
            return Checked(error="Unauthorized")
        try:
            claims = await self._claims(token)
        except jwt.PyJWTError as error:
            return _invalid(str(error))
        granted = _scopes(claims)
        if scopes and not set(scopes) & set(granted):
            wanted = " ".join(scopes)
            challenge = f'Bearer scope="{wanted}" error="insufficient_scope" error_description="insufficient scope"'
            return Checked(status=403, challenge=challenge, error="insufficient scope")
        return Checked({name: _text(value) for name, value in claims.items()}, list(granted) if scopes else None)

    def _token(self, request: HttpRequest) -> str:
        for source in self._sources:
            place, _, name = source.removeprefix("$").rpartition(".")
            if place == "request.querystring":
                value = next((each for key, each in request.facts.query() if key == name), "")
            else:
                value = request.facts.header(name.lower()) or ""
            if value:
                kind, _, rest = value.partition(" ")
                return rest.strip() if kind.lower() == "bearer" else value.strip()
        return ""

    async def _claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in _ALGORITHMS:
            raise jwt.InvalidAlgorithmError("signing method is invalid")
        key = await self._key(str(header.get("kid") or ""))
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            issuer=self._issuer,
            options={"verify_aud": False, "require": ["exp"]},
        )
        # client_id counts only where there is no aud: Cognito's access tokens have the one, its id tokens the other.
        audience = claims.get("aud", claims.get("client_id"))
        named = audience if isinstance(audience, list) else [audience]
        if not any(each in self._audiences for each in named if isinstance(each, str)):
            raise jwt.InvalidAudienceError("invalid audience")
        return claims

    async def _key(self, key_id: str) -> Any:
        if (known := self._known(key_id)) is not None:
            return known
        async with self._fetching:
            # Who waited here looks again: meanwhile the keys may have come.
            if self._known(key_id) is None and time.monotonic() >= self._again_at:
                await self._fetch()
        if (known := self._known(key_id)) is None:
            raise jwt.InvalidKeyError("signing key is not among the issuer's")
        return known

    def _known(self, key_id: str) -> Any:
        return self._keys.get(key_id) if time.monotonic() < self._fresh_until else None

    async def _fetch(self) -> None:
        try:
            self._keys = await asyncio.to_thread(_fetched_keys, self._issuer)
            self._fresh_until = time.monotonic() + _KEYS_SECONDS
        except (OSError, HTTPException, AttributeError, LookupError, TypeError, ValueError) as error:
            raise jwt.PyJWTError("unable to fetch the issuer's keys") from error
        finally:
            self._again_at = time.monotonic() + _AGAIN_SECONDS


def _fetched_keys(issuer: str) -> dict[str, Any]:
    """Return the issuer's RSA keys by their ids (OpenID Connect Discovery 1.0; RFC 7517)."""
    discovery = _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    keys = {}
    for each in _fetched(str(discovery["jwks_uri"]))["keys"]:
        if each.get("kty") == "RSA":
            keys[str(each.get("kid") or "")] = jwt.PyJWK(each, algorithm=each.get("alg") or "RS256").key
    return keys


def _fetched(url: str) -> Mapping[str, Any]:
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"{url} is no web address")
    with urllib.request.urlopen(url, timeout=_FETCH_SECONDS) as response:  # noqa: S310 checked above
        text = response.read(_FETCH_BYTES + 1)
    if len(text) > _FETCH_BYTES:
        raise ValueError(f"{url} is over {_FETCH_BYTES} bytes")
    document: Mapping[str, Any] = json.loads(text)
    return document


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    found = claims.get("scope", claims.get("scp"))
    if isinstance(found, str):
        return found.split()
    return [str(each) for each in found] if isinstance(found, list) else []


def _text(value: Any) -> str:
    """Return a claim as events have it: text; a list in brackets, its members separated by spaces."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{' '.join(_text(each) for each in value)}]"
    if isinstance(value, Mapping):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def _invalid(reason: str) -> Checked:
    text = reason.replace('"', "'").replace("\r", " ").replace("\n", " ")
    return Checked(challenge=f'Bearer scope="" error="invalid_token" error_description="{text}"', error=reason)
