"""Real-shaped events with one or more parts spoilt: the same sequence for the same seed.

`DAMAGED_EVENTS=30000 pytest -k damaged_events` tries more of them than a run of the whole suite does.
"""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

from lambda_http.proxy_event import UnsupportedEventError
from tests.events import EVENTS

COUNT = int(os.environ.get("DAMAGED_EVENTS", "2000"))
SEED = 20261126

JUNK: list[Any] = [
    *(None, True, False, 0, -1, 5, 1.5, 10**400, float("nan"), float("inf")),
    *(
        "",
        " ",
        "x",
        "/",
        "//",
        "/..",
        "\x00",
        "\r\nX: y",
        "\ud800",
        "\udfff\ud800",
        "é",
        "चाय",
        "\u202e",
        "%",
        "%zz",
        "%ff",
    ),
    *("{}", "[]", "null", "NaN", "443,443", "9" * 4301, "1e999999999", "a" * 70_000, "[" * 5_000, "ünï/%2e%2e/\\"),
    *([], [None], [[]], ["x", 5, None], {}, {"": ""}, {"x": None}, {"x": {"y": []}}),
]
NAMES = [
    "",
    "x",
    "Host",
    "host",
    "x-forwarded-port",
    "Content-Length",
    "Transfer-Encoding",
    "\r\n",
    "\ud800",
    "é",
    "Cookie",
]
MEMBERS = [
    *("version", "routeKey", "rawPath", "rawQueryString", "cookies", "headers", "requestContext", "pathParameters"),
    *("resource", "path", "httpMethod", "multiValueHeaders", "queryStringParameters", "body", "isBase64Encoded"),
]
HEADERS = [
    *(("host", value) for value in ("[::1]:3000", "a:b:c", "a:99999", "", "ü", "shop.example:0", "\ud800", "a,b")),
    *(("x-forwarded-port", value) for value in ("443,443", "9" * 4301, "-1", "", "٤٤٣", "70000")),
    *(("x-forwarded-proto", value) for value in ("javascript", "https,http", "")),
    *(("x-forwarded-for", value) for value in ("unknown", "1.2.3.4, \ud800", "," * 100)),
    *(("content-length", value) for value in ("-1", "9" * 5000, "x", "70000")),
    *(("content-type", value) for value in ("", ";", "application/json; charset=\ud800", "multipart/form-data")),
    *(("transfer-encoding", "chunked"), ("expect", "100-continue"), ("connection", "upgrade"), ("upgrade", "h2c")),
    *(("if-match", value) for value in ('"', "*,*", '"é"', 'W/"1.x"', '"1.%00"', ",".join(['"a"'] * 11))),
    *(("range", value) for value in ("bytes=-", f"bytes={'9' * 5000}-", "bytes=5-2", "bytes=0-0,1-1")),
    *(("cookie", value) for value in ("\ud800", "a=b;" * 5000, ";;;=")),
    *(("idempotency-key", value) for value in ("\ud800", "é", "")),
    *(("accept-language", "*"), ("x-amzn-trace-id", "Root=;Root=\ud800"), ("x-api-key", "\ud800")),
]


def answers_to_damaged_events(folder: str, handler: Callable[[Any, Any], Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each damaged event of `events/<folder>` and the handler's answer, None when it is no HTTP event.

    Raises whatever else the handler raises, with the event in a note.
    """
    for event in damaged_events(folder):
        before = copy.deepcopy(event)
        try:
            yield event, handler(event, Context())
        except UnsupportedEventError:
            yield event, None
        except Exception as error:
            error.add_note(repr(before)[:2000])
            raise


class Context:
    """What Lambda passes beside the event."""

    aws_request_id = "8a2f6c1e-6f0b-4a53-9d3e-1b7d6a5c4e3f"
    function_name = "function"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


def damaged_events(folder: str, count: int = COUNT, seed: int = SEED) -> Iterator[Any]:
    """Yield `count` damaged copies of the fixtures in `events/<folder>`."""
    dice = random.Random(seed)
    texts = [path.read_text() for path in sorted((EVENTS / folder).rglob("*.json"))]
    for _ in range(count):
        event = json.loads(dice.choice(texts))
        for _ in range(dice.choice([1, 1, 1, 2, 3, 5])):
            event = dice.choice([_spoil, _spoil, _spoil, _spoil_text, _spoil_text, _add_header, _replace])(event, dice)
        yield event


def _spoil(event: Any, dice: random.Random) -> Any:
    """Replace, remove, rename or double one member, anywhere."""
    places = list(_places(event))
    if not places:
        return dice.choice(JUNK)
    holder, key = dice.choice(places)
    kind = dice.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[dice.choice(NAMES)] = holder.pop(key)
    elif kind == 2 and isinstance(holder, dict):
        holder[str(key).swapcase()] = copy.deepcopy(dice.choice(JUNK))
    else:
        holder[key] = copy.deepcopy(dice.choice(JUNK))
    return event


def _spoil_text(event: Any, dice: random.Random) -> Any:
    """Cut, stretch, or put something into one text, anywhere."""
    places = [(holder, key) for holder, key in _places(event) if isinstance(holder[key], str)]
    if not places:
        return event
    holder, key = dice.choice(places)
    text, at = holder[key], dice.randrange(len(holder[key]) + 1)
    junk = str(dice.choice(JUNK))[:200]
    holder[key] = dice.choice([text[:at], text[at:], text[:at] + junk + text[at:], junk, text * 2, text.upper()])
    return event


def _add_header(event: Any, dice: random.Random) -> Any:
    if not isinstance(event, dict):
        return event
    name, value = dice.choice(HEADERS)
    where = dice.choice(["headers", "multiValueHeaders"])
    headers = event.get(where)
    if isinstance(headers, dict):
        spelling = dice.choice([str.lower, str.upper, str.title])(name)
        headers[spelling] = [value, value] if where == "multiValueHeaders" else value
    return event


def _replace(event: Any, dice: random.Random) -> Any:
    """Give one of the members that every HTTP event has another value."""
    if not isinstance(event, dict):
        return event
    name = dice.choice(MEMBERS)
    event[name] = copy.deepcopy(dice.choice(JUNK))
    return event


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
