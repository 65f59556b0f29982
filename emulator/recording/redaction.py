"""What a fixture must not hold: secrets and tokens, wherever an event or an answer has them.

REDACTED stands in the place of a value that is left out, so that a person sees that it was there, and REDACTED_NUMBER
in that of a number. Redacted are the headers and parameters named below, every cookie's value, what an authorizer has
added, and, in bodies of JSON, of JSON lines and of forms, whatever is below a name that has one of the words below in
it. A JSON document that is a text of another one is looked into, too.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

REDACTED: Final = "REDACTED"
REDACTED_NUMBER: Final = "REDACTED NUMBER"
HEADERS: Final = frozenset(
    (
        *("authentication", "authorization", "cookie", "proxy-authorization", "set-cookie", "x-amz-security-token"),
        *("x-api-key", "x-auth", "x-session-id"),
    )
)
PARAMETERS: Final = frozenset(("code",))
"""Of queries, forms and headers alone: OAuth 2.0 has a secret there (RFC 6749, 4.1.2), an error in JSON a number."""
WORDS: Final = (
    *("accesskey", "apikey", "authorization", "codeverifier", "cookie", "credential", "jwt", "passphrase", "passwd"),
    *("password", "privatekey", "secret", "signature", "token"),
)
"""In a name without regard to case, hyphens and underscores: `accessToken`, `X-Api-Key`, `client_secret`."""
_NO_LETTER: Final = re.compile(r"[^a-z0-9]")
IN_A_URL: Final = re.compile(r"(^|[?&#])([^=?&#\s]+)(=)([^&#\s]*)")
IN_A_FORM: Final = re.compile(r"(^|&)([^=&\s]+)(=)([^&\r\n]*)")
IN_A_PART: Final = re.compile(
    r"""(form-data;[^\r\n]{0,200}?\bname=")([^"\r\n]*)("[^\r\n]*(?:\r?\n[^\r\n]+){0,8}\r?\n\r?\n)([^\r\n]*)"""
)
"""What is before a parameter, its name, what is between, its value. The last is of multipart forms (RFC 7578)."""


def is_secret(name: str) -> bool:
    """Tell whether a header or a member of that name holds a secret."""
    plain = _NO_LETTER.sub("", name.lower())
    return name.lower() in HEADERS or any(word in plain for word in WORDS)


def is_secret_parameter(name: str) -> bool:
    """Tell whether a parameter of a query or a form holds a secret."""
    return name.lower() in PARAMETERS or is_secret(name)


def redacted_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a proxy event (any format of API Gateway) without its secrets."""
    found = dict(event)
    for name in ("headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters"):
        if isinstance(event.get(name), Mapping):
            found[name] = redacted_headers(event[name])
    for name in ("pathParameters", "stageVariables"):
        if isinstance(event.get(name), Mapping):
            found[name] = {key: REDACTED if is_secret(key) else value for key, value in event[name].items()}
    if isinstance(event.get("cookies"), list):
        found["cookies"] = [f"{str(cookie).partition('=')[0]}={REDACTED}" for cookie in event["cookies"]]
    if event.get("rawQueryString"):
        found["rawQueryString"] = _redacted_pairs(IN_A_URL, str(event["rawQueryString"]))
    context = event.get("requestContext")
    if isinstance(context, Mapping):
        found["requestContext"] = _redacted_context(context)
    body = event.get("body")
    if isinstance(body, str):
        found["body"] = redacted_body(body, is_encoded=bool(event.get("isBase64Encoded")))
    secrets = [str(value) for name, value in (event.get("pathParameters") or {}).items() if is_secret(name) and value]
    return _without_in_paths(found, secrets) if secrets else found


def redacted_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return headers or parameters, each a text or a list of texts, without the secrets among them."""
    return {
        name: _redacted_value(value) if is_secret_parameter(name) else _redacted_urls(value)
        for name, value in headers.items()
    }


def redacted_body(body: str, *, is_encoded: bool = False) -> str:
    """Return a body without the secrets in it; one that is neither JSON nor a form stays as it is."""
    if is_encoded:
        try:
            content = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return body
        cleaned = redacted_content(content)
        return body if cleaned == content else base64.b64encode(cleaned).decode("ascii")
    cleaned_json = _redacted_json(body)
    if cleaned_json is not None:
        return cleaned_json
    lines = _redacted_pairs(IN_A_PART, body).split("\n")
    return "\n".join(_redacted_json(line) or _redacted_pairs(IN_A_FORM, line) for line in lines)


def redacted_content(content: bytes) -> bytes:
    """Return the bytes of a body without the secrets in it, whatever their encoding is."""
    return redacted_body(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _redacted_json(text: str) -> str | None:
    """Return a JSON document without its secrets, as it was when it has none; None when it is no document."""
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cleaned = _redacted_members(loaded)
    return text if cleaned == loaded else json.dumps(cleaned, ensure_ascii=text.isascii())


def _redacted_members(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _redacted_leaves(member)
            if is_secret(name) and not _is_count(name, member)
            else _redacted_members(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_redacted_members(member) for member in value]
    return _redacted_text(value) if isinstance(value, str) else value


def _redacted_leaves(value: Any) -> Any:
    """Return a value in which each text and each number is redacted. What is true, false or null tells nothing."""
    if isinstance(value, Mapping):
        return {name: _redacted_leaves(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_redacted_leaves(member) for member in value]
    if value is None or isinstance(value, bool):
        return value
    return REDACTED if isinstance(value, str) else REDACTED_NUMBER


def _redacted_text(text: str) -> str:
    """Return a text of a JSON document, which may be a document itself, or a link with a permission in it."""
    cleaned = _redacted_json(text) if text.lstrip()[:1] in ("{", "[") else None
    return cleaned if cleaned is not None else str(_redacted_urls(text))


def _is_count(name: str, value: Any) -> bool:
    """Tell whether a number counts the tokens of a text (`max_tokens`), and is no secret."""
    return isinstance(value, int | float) and "tokens" in name.lower()


def _redacted_context(context: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(context)
    if context.get("authorizer"):
        found["authorizer"] = _redacted_leaves(context["authorizer"])
    if isinstance(context.get("identity"), Mapping):
        found["identity"] = {
            name: REDACTED if is_secret(name) and value else value for name, value in context["identity"].items()
        }
    return found


def _without_in_paths(event: dict[str, Any], secrets: list[str]) -> dict[str, Any]:
    """Return the event with REDACTED for each of `secrets` in its paths."""
    pattern = re.compile("|".join(rf"(?<=/){re.escape(secret)}(?=/|$)" for secret in secrets))

    def cleaned(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            name: pattern.sub(REDACTED, member) if name in ("path", "rawPath") else cleaned(member)
            for name, member in value.items()
        }

    kept = {name: member for name, member in event.items() if name in ("path", "rawPath", "requestContext")}
    return {**event, **cleaned(kept)}


def _redacted_value(value: Any) -> Any:
    return [REDACTED for _ in value] if isinstance(value, list) else REDACTED


def _redacted_urls(value: Any) -> Any:
    """Return a header's value, in which a link may have its permission in it."""
    if isinstance(value, list):
        return [_redacted_urls(each) for each in value]
    if not isinstance(value, str) or "=" not in value:
        return value
    return _redacted_pairs(IN_A_URL, value)


def _redacted_pairs(pattern: re.Pattern[str], text: str) -> str:
    """Return a query, a form or an address; the parameters that are no secret stay as they were sent."""

    def value_of(name: str, value: str) -> str:
        if is_secret_parameter(name):
            return REDACTED
        return _redacted_pairs(pattern, value) if "?" in value else value  # an address in a parameter

    return replaced(pattern, text, value_of)


def replaced(pattern: re.Pattern[str], text: str, value_of: Callable[[str, str], str]) -> str:
    """Return `text` with `value_of(name, value)` for the value of each parameter that `pattern` finds."""
    return pattern.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{value_of(unquote_plus(m[2]), m[4])}", text)
