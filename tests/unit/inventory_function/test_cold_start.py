from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
SCRIPT = """
import json, sys
from app.lambda_handler import lambda_handler
context = {"http": {"method": "GET", "path": "/", "sourceIp": ""}, "stage": "$default", "requestId": "1"}
event = {"version": "2.0", "routeKey": "GET /", "rawPath": "/", "headers": {}, "requestContext": context}
answer = lambda_handler(event, None)
from lambda_http import aws_clients
clients = sorted(service for service, _ in aws_clients._clients)
print(json.dumps([answer["statusCode"], sorted(sys.modules), clients]))
"""
PATHS = f"{REPOSITORY / 'inventory_function'}{os.pathsep}{REPOSITORY}"


def run(**variables: str) -> tuple[int, list[str], list[str]]:
    """Return the status of one request in a new process, and the modules and AWS clients that are there after it."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PATHS, **variables}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    status, modules, clients = json.loads(process.stdout.splitlines()[-1])
    return status, modules, clients


def test_the_root_needs_no_setting_no_aws_sdk_and_no_tracer() -> None:
    status, modules, clients = run()

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
    assert clients == []


def test_a_snapshot_holds_the_clients_that_routes_would_make_at_their_first_use() -> None:
    status, modules, clients = run(AWS_LAMBDA_INITIALIZATION_TYPE="snap-start", AWS_DEFAULT_REGION="eu-west-1")

    assert status == 200
    assert {"botocore.client", "botocore.signers"} <= set(modules)
    assert "boto3" not in modules
    assert clients == ["dynamodb", "s3", "secretsmanager"]
