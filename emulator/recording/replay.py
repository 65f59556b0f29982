"""A recorded fixture sent again over HTTP, and how its answer differs from the recorded one."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

from emulator.recording.fixture import Answer, Fixture, FixtureError
from emulator.recording.redaction import (
    IN_A_PART,
    IN_A_URL,
    REDACTED,
    REDACTED_NUMBER,
    is_secret,
    redacted_content,
    redacted_headers,
    replaced,
)

ANSWER_SECONDS: Final = 60
IGNORED_HEADERS: Final = frozenset(
    (
        *("apigw-requestid", "connection", "content-length", "date", "keep-alive", "last-modified", "server"),
        *("x-amz-apigw-id", "x-amzn-requestid", "x-amzn-trace-id"),
    )
)
IGNORED_MEMBERS: Final = frozenset(
    (
        *("created_at", "date", "duration_ms", "elapsed", "elapsed_time", "expires_at", "latency_ms", "request_id"),
        *("requestid", "session_id", "time", "timestamp", "trace_id", "updated_at", "uptime", "uptime_seconds"),
    )
)
"""Members of JSON bodies, in lower case, whose values differ from one answer to the next."""
_NOT_SENT: Final = frozenset(
    (
        *("connection", "content-length", "transfer-encoding", "x-amzn-trace-id"),
        *("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"),
    )
)
_SHOWN_CHARACTERS: Final = 60
_ABSENT: Final = "-"
_LEFT_AWAY: Final = object()


@dataclass(frozen=True)
class Difference:
    """One difference: `where` is "status", a header's name, or a member of the body ("body.items[0].qty")."""

    fixture: str
    where: str
    recorded: str
    now: str


@dataclass(frozen=True)
class HttpRequest:
    """What is sent. `target` is the path with its query."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None


def request_of(fixture: Fixture, secrets: Mapping[str, str]) -> HttpRequest:
    """Return the request that a fixture was made of.

    A redacted value is that of `secrets` (by the lower-case name of its header, parameter or member, or of a member
    above it up to the one that made it a secret), or is left away; in a path, an address and a multipart form its
    place remains.
    """
    event = fixture.event
    pairs = [(name, value) for name, value in _headers(event) if name.lower() not in _NOT_SENT]
    cookies = [str(cookie) for cookie in event.get("cookies") or ()]
    if cookies:
        pairs.append(("cookie", REDACTED if any(REDACTED in each for each in cookies) else "; ".join(cookies)))
    headers = [(name, secrets.get(name.lower(), value) if REDACTED in value else value) for name, value in pairs]
    query = _query(event, secrets)
    target = quote(_path(fixture, secrets), safe="/:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")
    sent = [(name, value) for name, value in headers if REDACTED not in value]
    return HttpRequest(fixture.method, target, sent, _body(event, secrets))


def send(url: str, api: str, request: HttpRequest) -> Answer:
    """Return the answer of the API at `url`. Raises FixtureError when there is none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS)
    try:
        names = {name.lower() for name, _ in request.headers}
        connection.putrequest(
            request.method, request.target, skip_host="host" in names, skip_accept_encoding="accept-encoding" in names
        )
        for name, value in request.headers:
            connection.putheader(name, value.encode("latin-1", "replace"))
        if request.body is not None:
            connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise FixtureError(
            f"{request.method} {request.target} was not answered ({error}): see the emulator."
        ) from error
    finally:
        connection.close()
    headers: dict[str, list[str]] = {}
    for name, value in response.getheaders():
        headers.setdefault(name.lower(), []).append(value)
    return Answer(api, response.status, headers, body)


def differences(fixture: Fixture, now: Answer) -> list[Difference]:
    """Return how `now` differs from the recorded answer; what is redacted, or ignored (above), is not compared."""
    before = fixture.answer
    found = []
    if before.status != now.status:
        found.append(("status", str(before.status), str(now.status)))
    headers = redacted_headers(now.headers)
    for name in sorted({*before.headers, *headers} - IGNORED_HEADERS):
        left, right = (", ".join(each.get(name, ())) or _ABSENT for each in (before.headers, headers))
        if left != right and (REDACTED not in left or right == _ABSENT):
            found.append((name, left, right))
    found += _body_differences(before.body, now.body)
    return [Difference(fixture.name, where, _shown(left), _shown(right)) for where, left, right in found]


def _headers(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    many = event.get("multiValueHeaders")
    for name, value in ((many or event.get("headers")) or {}).items():
        for each in value if isinstance(value, list) else [value]:
            yield str(name), str(each)


def _query(event: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    raw = event.get("rawQueryString")
    if raw is None:
        many = event.get("multiValueQueryStringParameters") or {}
        raw = urlencode([(name, str(value)) for name, values in many.items() for value in values], quote_via=quote)
    return _filled_form(str(raw), secrets)


def _path(fixture: Fixture, secrets: Mapping[str, str]) -> str:
    """Return the path with the secrets given for its parameters, which are in the route's order."""
    parameters = fixture.event.get("pathParameters") or {}
    values = iter([secrets.get(name.lower(), REDACTED) for name, value in parameters.items() if value == REDACTED])
    return re.sub(rf"(?<=/){REDACTED}(?=/|$)", lambda found: next(values, found[0]), fixture.path)


def _filled_form(text: str, secrets: Mapping[str, str]) -> str:
    """Return a query or a form with the secrets given for its parameters, without those that are not given."""
    parts = []
    for part in text.split("&"):
        name, _, value = part.partition("=")
        given = secrets.get(unquote_plus(name).lower())
        if value.rstrip() != REDACTED:
            parts.append(_filled_url(part, secrets) if REDACTED in value else part)
        elif given is not None:
            parts.append(f"{name}={quote(given)}{value.removeprefix(REDACTED)}")
    return "&".join(parts)


def _body(event: Mapping[str, Any], secrets: Mapping[str, str]) -> bytes | None:
    body = event.get("body")
    if body is None:
        return None
    content = base64.b64decode(body) if event.get("isBase64Encoded") else str(body).encode()
    if REDACTED.encode() not in content:
        return content
    text = content.decode("utf-8", "surrogateescape")
    filled = _filled_json(text, secrets)
    if filled is None:
        lines = replaced(IN_A_PART, text, lambda name, value: _given(name, value, secrets)).split("\n")
        filled = "\n".join(_filled_json(line, secrets) or _filled_form(line, secrets) for line in lines)
    return filled.encode("utf-8", "surrogateescape")


def _filled_json(text: str, secrets: Mapping[str, str]) -> str | None:
    """Return a JSON document with the secrets given for its members; None when it is no document."""
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_filled_in(loaded, secrets, ()), ensure_ascii=text.isascii())


def _filled_in(value: Any, secrets: Mapping[str, str], names: Sequence[str]) -> Any:
    """Return a value with the secrets given for it: `names` are its own and those above it, the nearest first."""
    if isinstance(value, Mapping):
        told = {
            name: _filled_in(member, secrets, (name.lower(),) if is_secret(name) else (name.lower(), *names))
            for name, member in value.items()
        }
        return {name: member for name, member in told.items() if member is not _LEFT_AWAY}
    if isinstance(value, list):
        return [each for member in value if (each := _filled_in(member, secrets, names)) is not _LEFT_AWAY]
    if value in (REDACTED, REDACTED_NUMBER):
        given = next((secrets[name] for name in names if name in secrets), None)
        if given is None:
            return _LEFT_AWAY
        return given if value == REDACTED else _number(given)
    if not isinstance(value, str) or REDACTED not in value:
        return value
    filled = _filled_json(value, secrets)
    return filled if filled is not None else _filled_url(value, secrets)


def _filled_url(text: str, secrets: Mapping[str, str]) -> str:
    """Return an address, or a part of one, with the secrets given for its parameters."""

    def value_of(name: str, value: str) -> str:
        if value == REDACTED:
            return quote(_given(name, value, secrets))
        return _filled_url(value, secrets) if "?" in value else value

    return replaced(IN_A_URL, text, value_of)


def _given(name: str, value: str, secrets: Mapping[str, str]) -> str:
    return secrets.get(name.lower(), value) if value == REDACTED else value


def _number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _body_differences(before: bytes, now: bytes) -> list[tuple[str, str, str]]:
    now = redacted_content(now)
    if before == now:
        return []
    try:
        texts = before.decode(), now.decode()
    except UnicodeDecodeError:
        return [("body", f"{len(before)} bytes", f"{len(now)} other bytes")]
    try:
        return list(_member_differences("body", *map(json.loads, texts)))
    except ValueError:
        return [("body", *texts)] if texts[0] != texts[1] else []


def _member_differences(where: str, before: Any, now: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [*before, *(name for name in now if name not in before)]:
            if name.lower() not in IGNORED_MEMBERS:
                yield from _member_differences(f"{where}.{name}", before.get(name), now.get(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, pair in enumerate(zip(before, now, strict=True)):
            yield from _member_differences(f"{where}[{index}]", *pair)
    elif before != now and (before not in (REDACTED, REDACTED_NUMBER) or now is None):
        yield where, json.dumps(before, ensure_ascii=False), json.dumps(now, ensure_ascii=False)


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[: _SHOWN_CHARACTERS - 1]}…"
