"""The PreTraffic hook of CodeDeploy: the versions that a deployment brings must answer before callers reach them.

Sources: AWS CodeDeploy User Guide, "AppSpec 'hooks' section for an AWS Lambda deployment" (event and answer); Amazon
API Gateway Developer Guide, "Working with AWS Lambda proxy integrations for HTTP APIs" (payload format 2.0).
"""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

REQUESTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "INVENTORY_VERSION": (("/", ""), ("/inventory", "limit=1")),
    "SHOPBOT_VERSION": (("/health", ""), ("/chat/ui", "")),
}
"""What each version is asked: paths and query strings of GET requests. They change nothing, and of the backing
services they need the table alone: a correction must be deployable while Claude or Redis is down."""

INVOCATION_SECONDS = 29
PAUSES_SECONDS = (2, 4, 8, 16)
"""Between attempts while IAM refuses: the policy that names a new version is hardly older than this invocation, and IAM
takes a while to know it everywhere (IAM User Guide, "Changes that I make are not always immediately visible")."""
logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


def lambda_handler(event: Mapping[str, str], context: object) -> dict[str, str]:  # noqa: ARG001
    """Check every version and tell CodeDeploy `Succeeded` or `Failed`, which is also returned.

    Raises botocore's ClientError when CodeDeploy does not take the answer; it then waits, and fails the deployment.
    """
    complaints = check(_client("lambda"), os.environ)
    for complaint in complaints:
        logger.error(complaint)
    status = "Failed" if complaints else "Succeeded"
    _client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return {"status": status}


def check(functions: Any, versions: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the answers of `versions` (ARNs by the names of `REQUESTS`), one sentence each.

    `functions` is a client of AWS Lambda.
    """
    complaints = []
    for name, requests in REQUESTS.items():
        for path, query in requests:
            complaint = _complaint(functions, versions[name], path, query)
            if complaint:
                complaints.append(f"{versions[name]}: GET {path} {complaint}.")
    return complaints


def _complaint(functions: Any, version: str, path: str, query: str) -> str | None:
    try:
        answer = _invoke(functions, version, json.dumps(http_event(path, query)).encode())
        payload = json.loads(answer["Payload"].read())
    except Exception as error:  # whatever it is, the deployment must hear of it
        return f"could not be invoked ({type(error).__name__}: {error})"
    told = payload if isinstance(payload, dict) else {}
    if "FunctionError" in answer:
        return f"ended with {told.get('errorType', answer['FunctionError'])}"
    status = told.get("statusCode")
    return None if status == 200 else f"answered {status} instead of 200"


def _invoke(functions: Any, version: str, payload: bytes) -> Any:
    for pause in PAUSES_SECONDS:
        try:
            return functions.invoke(FunctionName=version, Payload=payload)
        except Exception as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") != "AccessDeniedException":
                raise
            time.sleep(pause)
    return functions.invoke(FunctionName=version, Payload=payload)


def http_event(path: str, query: str) -> dict[str, Any]:
    """Return the event of a GET request, as an HTTP API sends it."""
    host = "pre-traffic-check.invalid"
    return {
        "version": "2.0",
        "routeKey": f"GET {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": host, "user-agent": "pre-traffic-check"},
        **({"queryStringParameters": dict([query.split("=")])} if query else {}),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "pre-traffic-check",
            "domainName": host,
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "pre-traffic-check",
            },
            "requestId": "pre-traffic-check",
            "routeKey": f"GET {path}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "isBase64Encoded": False,
    }


def _client(service: str) -> Any:
    # Only now: `sam local start-api` initialises this function too, and nobody invokes it there.
    from botocore.config import Config
    from botocore.session import Session

    config = Config(connect_timeout=2, read_timeout=INVOCATION_SECONDS, retries={"total_max_attempts": 2})
    return Session().create_client(service, config=config)
