"""AWS::ApiGateway::RestApi.

Source: AWS CloudFormation Template Reference, "AWS::ApiGateway::RestApi"; Amazon API Gateway V1 API Reference,
"GetRestApi" and "GetResources".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.resources.apigatewayv2_api import authorizers_left_out, body_parts, route_keys
from emulator.aws.schema import tag_list

_DESCRIBED_AS_DECLARED: Final = {
    "ApiKeySourceType": "apiKeySource",
    "BinaryMediaTypes": "binaryMediaTypes",
    "Description": "description",
    "DisableExecuteApiEndpoint": "disableExecuteApiEndpoint",
    "MinimumCompressionSize": "minimumCompressionSize",
    "Name": "name",
    "Policy": "policy",
}


def _read(clients: Clients, api_id: str, declared: Properties) -> Properties:
    """Return what API Gateway has, the Body in parts."""
    gateway = clients.named("apigateway")
    found = gateway.get_rest_api(restApiId=api_id)
    made = {}
    for page in gateway.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"]):
        for resource in page["items"]:
            for verb, method in resource.get("resourceMethods", {}).items():
                made[f"{verb} {resource['path']}"] = method.get("methodIntegration", {}).get("uri")
    return {
        **{f"Body.paths.{key}": made.get(key) for key in route_keys(declared)},
        **{name: found.get(member) for name, member in _DESCRIBED_AS_DECLARED.items()},
        "EndpointConfiguration": {"Types": found.get("endpointConfiguration", {}).get("types")},
        "Tags": tag_list(found.get("tags", {})),
    }


def _left_out(properties: Properties) -> list[str]:
    body = properties.get("Body", {})
    if properties.get("Policy") or body.get("x-amazon-apigateway-policy"):
        unfollowed = ["its resource policy is not followed: sam local and the gateway let everybody in"]
    else:
        unfollowed = []
    return unfollowed + authorizers_left_out(body)


RESOURCE: Final = ResourceType(
    "AWS::ApiGateway::RestApi",
    read=_read,
    made_by="sam local",
    ref="{id}",
    attributes={"RestApiId": "{ref}", "RootResourceId": "{id}"},
    parts=body_parts,
    left_out=_left_out,
)
