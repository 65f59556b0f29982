from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FUNCTION = Path(__file__).parents[3] / "inventory_function"
SCRIPT = """
import json, sys
from app.lambda_handler import lambda_handler
context = {"http": {"method": "GET", "path": "/", "sourceIp": ""}, "stage": "$default", "requestId": "1"}
event = {"version": "2.0", "routeKey": "GET /", "rawPath": "/", "headers": {}, "requestContext": context}
answer = lambda_handler(event, None)
print(json.dumps([answer["statusCode"], sorted(sys.modules)]))
"""


def run(**variables: str) -> tuple[int, list[str]]:
    """Return the status of one request in a new process, and the modules that are loaded after it."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTION), **variables}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    status, modules = json.loads(process.stdout.splitlines()[-1])
    return status, modules


def test_the_root_needs_no_setting_no_aws_sdk_and_no_tracer() -> None:
    status, modules = run()

    assert status == 200
    # Powertools imports the bare package botocore to name itself in the user agent: three small modules.
    unwanted = (
        "boto3",
        "botocore.",
        "s3transfer",
        "aws_xray_sdk",
        "opentelemetry.sdk",
        "multipart",
        "email_validator",
        "httpx",
    )
    assert [name for name in modules if name.startswith(unwanted)] == []


def test_a_snapshot_holds_the_aws_sdk_already() -> None:
    status, modules = run(AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", AWS_DEFAULT_REGION="eu-west-1")

    assert status == 200
    assert {"botocore.client", "botocore.signers"} <= set(modules)
    assert "boto3" not in modules
