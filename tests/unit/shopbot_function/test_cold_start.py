from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTION = Path(__file__).parents[3] / "shopbot_function"
SCRIPT = """
import json, sys
from lambda_handler import lambda_handler
path = sys.argv[1]
context = {"http": {"method": "GET", "path": path, "sourceIp": ""}, "stage": "$default", "requestId": "1"}
event = {"version": "2.0", "routeKey": "$default", "rawPath": path, "headers": {}, "requestContext": context}
answer = lambda_handler(event, None)
print(json.dumps([answer["statusCode"], sorted(sys.modules)]))
"""
BACKING_SERVICES = (
    "redis",
    "boto3",
    "botocore.",
    "s3transfer",
    "urllib3",
    "elasticsearch",
    "elastic_transport",
    "anthropic",
)
COSTLY = ("aws_xray_sdk", "opentelemetry", "jsonschema", "concurrent", "asyncio", "shopping_bot.backends.claude")


def run(path: str, **variables: str) -> tuple[int, list[str]]:
    """Return the status of one request in a new process, and the modules that are loaded after it."""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, path],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTION), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    status, modules = json.loads(process.stdout.splitlines()[-1])
    return status, modules


@pytest.mark.parametrize("path", ["/health", "/chat/ui"])
def test_what_touches_no_backing_service_imports_none_of_their_clients(path: str) -> None:
    status, modules = run(path)

    assert status == 200
    # Powertools imports the bare package botocore to name itself in the user agent: three small modules.
    assert [name for name in modules if name.startswith(BACKING_SERVICES)] == []
    assert [name for name in modules if name.startswith(COSTLY)] == []


def test_a_snapshot_holds_what_every_route_needs() -> None:
    settings = dict.fromkeys(("ANTHROPIC_BASE_URL", "ES_URL"), "http://127.0.0.1:9") | {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "CLAUDE_MODEL": "claude-x",
        "ES_INDEX": "products",
        "REDIS_HOST": "127.0.0.1",
        "SECRETS_MANAGER_SECRET": "arn",
        "TABLE_NAME": "table",
    }

    status, modules = run("/health", **settings)

    assert status == 200
    assert {"botocore.client", "redis.retry", "shopping_bot.backends.claude", "urllib3.exceptions"} <= set(modules)


def test_a_setting_that_is_missing_does_not_spoil_the_snapshot() -> None:
    assert run("/health", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", AWS_DEFAULT_REGION="eu-west-1")[0] == 200
