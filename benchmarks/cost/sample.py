"""Measure what one request leaves behind: log bytes, metrics, answer bytes, table reads, Claude's tokens.

Both handlers run in this process. Claude, Elasticsearch and Redis are the emulator's; table, bucket and secret are
answers kept in memory, because only what the handlers make of them is counted.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.cost.traffic import CONVERSATION
from emulator.aws.sample_data import items_of
from emulator.backing_services.anthropic import Anthropic
from emulator.backing_services.elasticsearch import Elasticsearch
from emulator.backing_services.valkey import Valkey
from emulator.project.declaration import read_declaration
from sam_template.repository import CATALOG, FILES, REPOSITORY, TEMPLATE

_FILE: Final = "sample.txt"
_SKU: Final = "CHIPS-BEET-80G"
_NEEDED: Final = {
    "TABLE_NAME": "inventory",
    "S3_BUCKET": "data",
    "SECRETS_MANAGER_SECRET": "arn",
    "REQUIRE_API_KEY": "false",
}


@dataclass
class Aws:
    """Table, bucket and secret as both functions' clients; `keys` counts the items that were asked for by key."""

    items: list[dict[str, Any]]
    keys: int = 0

    def get_item(self, **_: Any) -> Any:
        """Return the first item."""
        return {"Item": self.items[0]}

    def scan(self, Limit: int, **_: Any) -> Any:  # noqa: N803  the API's own name
        """Return the first items."""
        return {"Items": self.items[:Limit]}

    def transact_write_items(self, **_: Any) -> Any:
        """Accept the adjustment."""
        return {}

    def update_item(self, **_: Any) -> Any:
        """Return the first item as the updated one."""
        return {"Attributes": self.items[0]}

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803  as above
        """Return what is asked for."""
        ((table, request),) = RequestItems.items()
        wanted = {key["sku"]["S"] for key in request["Keys"]}
        self.keys += len(wanted)
        return {"Responses": {table: [item for item in self.items if item["sku"]["S"] in wanted]}}

    def head_object(self, **_: Any) -> Any:
        """Describe the file."""
        size = (FILES / _FILE).stat().st_size
        return {"ETag": '"e"', "ContentLength": size, "LastModified": datetime.now(UTC), "ContentType": "text/plain"}

    def get_object(self, **_: Any) -> Any:
        """Return the file."""
        return {"Body": io.BytesIO((FILES / _FILE).read_bytes())}

    def get_secret_value(self, **_: Any) -> Any:
        """Return the keys."""
        keys = {"ANTHROPIC_API_KEY": "key", "ES_API_KEY": "", "REDIS_PASSWORD": ""}
        own = {"INVENTORY_API_KEY": "key", "SESSION_KEY": "key"}
        return {"SecretString": json.dumps(keys | own)}


class Context:
    """What Lambda passes beside the event."""

    function_name = "shop-prod-ShopbotFunction-AbCdEf123456"
    aws_request_id = "8a2f6c1e-6f0b-4a53-9d3e-1b7d6a5c4e3f"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return what is left of the invocation's time."""
        return 29_000


def measure() -> dict[str, Any]:
    """Return what `benchmarks.cost.measured` keeps: of each route, what a warm request of it leaves behind, and sizes.

    `requests` is by route; `items` and `access_log_bytes` are bytes of an item of the table and of a line of the
    API's access log. Raises RuntimeError when a request fails, or the template's access log cannot be read.
    """
    log = io.StringIO()
    with contextlib.redirect_stdout(log), contextlib.ExitStack() as stack:
        os.environ |= {**_NEEDED, "POWERTOOLS_METRICS_NAMESPACE": "ShopOnSam"}
        (declared,) = read_declaration(REPOSITORY).items
        aws = Aws(items_of(declared, "2026-11-21T00:00:00.000000Z"))
        requests = {**_inventory(aws, log), **_shopbot(aws, log, stack.enter_context(_backing_services()))}
    return {
        "items": {"bytes": round(sum(map(_weight, aws.items)) / len(aws.items))},
        "access_log_bytes": _access_log_bytes(),
        "requests": requests,
    }


def _inventory(aws: Aws, log: io.StringIO) -> dict[str, Any]:
    os.environ["POWERTOOLS_SERVICE_NAME"] = "inventory"
    sys.path.insert(0, str(REPOSITORY / "inventory_function"))
    from app.lambda_handler import lambda_handler

    from lambda_http import aws_clients

    clients = {("dynamodb", 1): aws, ("s3", 1): aws, ("secretsmanager", 2): aws}
    aws_clients._clients.update(clients)  # noqa: SLF001  no network in a sample
    sent = {
        "GET /inventory/{sku}": _event("GET", f"/inventory/{_SKU}"),
        "GET /inventory": _event("GET", "/inventory"),
        "POST /inventory/{sku}/adjustments": _event("POST", f"/inventory/{_SKU}/adjustments", {"delta": -1}),
        "GET /file/download/{filename}": _event("GET", f"/file/download/{_FILE}"),
    }
    return {route: _request(lambda_handler, event, log, aws) for route, event in sent.items()}


def _shopbot(aws: Aws, log: io.StringIO, backing_services: dict[str, Any]) -> dict[str, Any]:
    os.environ["POWERTOOLS_SERVICE_NAME"] = "shopbot"
    import lambda_handler as shopbot
    from shopping_bot.backends import http

    from lambda_http import aws_clients

    for service in ("dynamodb", "secretsmanager"):
        aws_clients._clients[service, 2] = aws  # noqa: SLF001  as above
    shopbot.application.config.update({**backing_services, "TABLE_NAME": "inventory", "SECRETS_MANAGER_SECRET": "arn"})
    search = {"query": "vegan chips under 100 rupees"}
    sent = {
        "GET /health": _event("GET", "/health"),
        "GET /chat/ui": _event("GET", "/chat/ui"),
        "POST /products/search": _event("POST", "/products/search", search),
    }
    requests = {route: _request(shopbot.lambda_handler, event, log, aws) for route, event in sent.items()}
    _chat(shopbot.lambda_handler, log, aws)  # fills the prompt cache, as the customer before did
    requests["POST /chat"] = _chat(shopbot.lambda_handler, log, aws)
    shopbot.application.extensions["shopping_bot"].redis.close()
    http.forget()
    return requests


def _chat(handler: Any, log: io.StringIO, aws: Aws) -> dict[str, Any]:
    """Return the mean of a conversation's turns."""
    turns: list[dict[str, Any]] = []
    session_id = None
    for message in CONVERSATION:
        body = {"user_id": "u1", "message": message, "session_id": session_id}
        turns.append(_request(handler, _event("POST", "/chat", body), log, aws, warm_up=False))
        session_id = turns[-1].pop("session_id")
    return _mean(turns)


def _mean(turns: list[dict[str, Any]]) -> dict[str, Any]:
    def mean(values: list[float]) -> float:
        return round(sum(values) / len(values), 2)

    numbers = {name: mean([turn[name] for turn in turns]) for name in turns[0] if name not in {"tokens", "metrics"}}
    names = sorted({name for turn in turns for name in turn["tokens"]})
    tokens = {name: mean([turn["tokens"].get(name, 0) for turn in turns]) for name in names}
    return {**numbers, "tokens": tokens, "metrics": sorted({name for turn in turns for name in turn["metrics"]})}


def _request(handler: Any, event: Any, log: io.StringIO, aws: Aws, *, warm_up: bool = True) -> dict[str, Any]:
    metrics: set[str] = set()
    for _ in range(2 if warm_up else 1):
        log.seek(0)
        log.truncate()
        aws.keys = 0
        answer = handler(json.loads(json.dumps(event)), Context())
        lines = [line for line in log.getvalue().splitlines() if line]
        metrics |= set(_metrics(lines))
    if answer["statusCode"] != 200:
        raise RuntimeError(f"{event['rawPath']} was answered {answer['statusCode']}")
    raw = answer["body"]
    body = base64.b64decode(raw) if answer["isBase64Encoded"] else raw.encode()
    found = {
        "log_lines": len(lines),
        "log_bytes": sum(len(line.encode()) + 1 for line in lines),
        "answer_bytes": len(body),
        "keys_read": aws.keys,
        "metrics": sorted(metrics),
    }
    if event["rawPath"] == "/chat":
        found |= {**_claude(lines), "session_id": json.loads(body)["session_id"]}
    return found


def _metrics(lines: list[str]) -> Iterator[str]:
    for line in lines:
        record = json.loads(line)
        for directive in record.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                place = ",".join(f"{name}={record[name]}" for name in sorted(dimensions))
                yield from (f"{metric['Name']} {place}" for metric in directive["Metrics"])


def _claude(lines: list[str]) -> dict[str, Any]:
    record = next(record for record in map(json.loads, lines) if record.get("message") == "Answered")
    return {"claude_calls": record["backing_services"]["anthropic"]["calls"], "tokens": record["tokens"]}


@contextlib.contextmanager
def _backing_services() -> Iterator[dict[str, Any]]:
    sys.path.insert(0, str(REPOSITORY / "shopbot_function"))
    from shopping_bot.search.index import ALIAS, fill

    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        claude, elasticsearch = Anthropic(), Elasticsearch()
        valkey = Valkey(log=Path(folder) / "valkey.log")
        stack = contextlib.AsyncExitStack()
        for backing_service in (claude, elasticsearch, valkey):
            runner.run(stack.enter_async_context(backing_service))
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            fill(elasticsearch.url, CATALOG)
            yield {
                "REDIS_HOST": valkey.host,
                "REDIS_PORT": valkey.port,
                "REDIS_TLS": False,
                "ES_URL": elasticsearch.url,
                "ES_INDEX": ALIAS,
                "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{claude.port}",
                "CLAUDE_MODEL": "claude-sonnet-5-5",
            }
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            runner.run(stack.aclose())


def _event(method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "content-type": "application/json"}
        | ({"idempotency-key": "order-1"} if path.endswith("/adjustments") else {}),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.9", "protocol": "HTTP/1.1"},
            "requestId": "1eODsWrthcwEJig=",
            "stage": "$default",
        },
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }


def _access_log_bytes() -> int:
    """Return the bytes of a line of the access log, as template.yaml has its format, with everyday values."""
    text = TEMPLATE.read_text(encoding="utf-8")
    _, _, rest = text.partition("Format: >-\n")
    lines = []
    for line in rest.splitlines():
        if not line.strip().startswith(("{", '"')):
            break
        lines.append(line.strip())
    values = {
        "$context.requestId": "1eODsWrthcwEJig=",
        "$context.requestTime": "20/Nov/2026:09:31:50 +0000",
        "$context.identity.sourceIp": "203.0.113.12",
        "$context.routeKey": "GET /inventory/{sku}",
        "$context.httpMethod": "GET",
        "$context.status": "200",
        "$context.responseLength": "512",
        "$context.responseLatency": "24",
        "$context.integrationErrorMessage": "-",
    }
    line = " ".join(lines)
    for name in sorted(values, key=len, reverse=True):
        line = line.replace(name, values[name])
    if not line or "$" in line:
        raise RuntimeError(f"The format of the access log in template.yaml cannot be filled in: {line!r}")
    return len(line.encode()) + 1


def _weight(item: dict[str, dict[str, str]]) -> int:
    return sum(len(name) + len(text.encode()) for name, value in item.items() for text in value.values())
