"""The API key that writes need, from the JSON secret."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader

from app.config import is_api_key_required, settings
from app.observability import logger
from lambda_http.json_secret import JsonSecret, SecretError, read_secret
from lambda_http.problem import Problem, unavailable

MEMBER = "INVENTORY_API_KEY"
_HEADER = APIKeyHeader(
    name="x-api-key",
    scheme_name="ApiKey",
    description="The shop's key; asked for where REQUIRE_API_KEY is not false, as on every deployed stage.",
    auto_error=False,
)


async def require_api_key(given: Annotated[str | None, Security(_HEADER)]) -> None:
    """Let the request pass when it carries the key, or when none is required. Raises Problem 401, 503."""
    if is_api_key_required():
        check(given, secret)


def check(given: str | None, secret: JsonSecret) -> None:
    """Return when `given` is the key in `secret`. Raises Problem 401 when it is not, 503 when the key cannot be had."""
    if not given:
        raise _unauthorized("Send the shop's key in the x-api-key header.")
    try:
        key: str | None = secret.require_for_header(MEMBER)
        if not _equal(given, key):
            # Perhaps it was rotated after the last read.
            key = secret.after_refusal(MEMBER, key or "")
    except SecretError as error:
        detail = f"No write is possible now: {error.key} {error.reason}; tell whoever runs the service."
        raise unavailable(detail, 1 if error.may_pass else None) from error
    if not _equal(given, key):
        raise _unauthorized("The key in x-api-key is not the shop's key; check it, or ask for the current one.")


def _log_failure(error: Exception) -> None:
    logger.error("The API key could not be read", exc_info=error)


secret = JsonSecret(lambda: read_secret(settings().secrets_manager_secret), _log_failure)


def _equal(given: str, key: str | None) -> bool:
    return key is not None and hmac.compare_digest(given.encode(errors="surrogatepass"), key.encode())


def _unauthorized(detail: str) -> Problem:
    # RFC 9110 section 11.6.1 wants a challenge with each 401.
    return Problem(401, detail, headers={"WWW-Authenticate": 'ApiKey realm="inventory"'})
