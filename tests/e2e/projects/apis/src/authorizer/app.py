from typing import Any

TOKEN = "let me in"


def simple(event: dict[str, Any], context: object) -> dict[str, Any]:
    return {"isAuthorized": event["headers"].get("authorization") == TOKEN, "context": {"caller": "visitor"}}


def policy(event: dict[str, Any], context: object) -> dict[str, Any]:
    effect = "Allow" if event["authorizationToken"] == TOKEN else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "partner", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
