import json
from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Say which item was asked for, in which format of API Gateway, and who asked."""
    version = event.get("version", "1.0")
    authorizer = event["requestContext"]["authorizer"]
    caller = authorizer["lambda"]["caller"] if version == "2.0" else authorizer["principalId"]
    body = {"item": event["pathParameters"]["item"], "version": version, "caller": caller}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
