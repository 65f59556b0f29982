"""Events of each source, to be varied."""

from __future__ import annotations

from typing import Any

API_HOST = "abc.execute-api.eu-west-1.amazonaws.com"


def v2(path: str, route_key: str = "$default", stage: str = "$default", **more: Any) -> dict[str, Any]:
    """An HTTP API's event, payload 2.0."""
    http = {"method": "GET", "path": path, "sourceIp": "203.0.113.9", "protocol": "HTTP/1.1"}
    context = {"http": http, "stage": stage, "requestId": "v2-id", "domainName": API_HOST}
    return {"version": "2.0", "routeKey": route_key, "rawPath": path, "headers": {}, "requestContext": context, **more}


def rest(path: str, resource: str = "/{proxy+}", seen: str | None = None, **more: Any) -> dict[str, Any]:
    """A REST API's event; `seen` is the path with the stage."""
    context = {
        "stage": "prod",
        "path": f"/prod{path}" if seen is None else seen,
        "requestId": "rest-id",
        "identity": {"sourceIp": "203.0.113.9"},
        "domainName": API_HOST,
    }
    return {
        "resource": resource,
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "requestContext": context,
        **more,
    }


def load_balancer(path: str, **more: Any) -> dict[str, Any]:
    """An Application Load Balancer's event, with single values."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/1"}},
        "httpMethod": "GET",
        "path": path,
        "queryStringParameters": {},
        "headers": {"host": "shop.example"},
        "body": "",
        "isBase64Encoded": False,
        **more,
    }
