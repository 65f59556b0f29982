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
NEIGHBOURS = ("redis", "boto3", "botocore.", "s3transfer", "urllib3", "elasticsearch", "elastic_transport", "anthropic")
COSTLY = ("aws_xray_sdk", "opentelemetry", "jsonschema", "concurrent", "asyncio", "shopping_bot.claude")


@pytest.mark.parametrize("path", ["/health", "/chat/ui"])
def test_what_touches_no_neighbour_imports_none_of_their_clients(path: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTION)}

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, path],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    status, modules = json.loads(run.stdout.splitlines()[-1])
    assert status == 200
    # Powertools imports the bare package botocore to name itself in the user agent: three small modules.
    assert [name for name in modules if name.startswith(NEIGHBOURS)] == []
    assert [name for name in modules if name.startswith(COSTLY)] == []
