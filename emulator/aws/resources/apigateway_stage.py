"""AWS::ApiGateway::Stage.

Source: AWS CloudFormation Template Reference, "AWS::ApiGateway::Stage"; Amazon API Gateway V1 API Reference,
"GetStage".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import tag_list

_DESCRIBED_AS_DECLARED: Final = {
    "CacheClusterEnabled": "cacheClusterEnabled",
    "CacheClusterSize": "cacheClusterSize",
    "DeploymentId": "deploymentId",
    "Description": "description",
    "StageName": "stageName",
    "TracingEnabled": "tracingEnabled",
    "Variables": "variables",
}


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    api = declared["RestApiId"]
    found = clients.named("apigateway").get_stage(restApiId=api, stageName=name)
    access = found.get("accessLogSettings", {})
    return {
        **{key: found.get(member) for key, member in _DESCRIBED_AS_DECLARED.items()},
        "AccessLogSetting": {"DestinationArn": access.get("destinationArn"), "Format": access.get("format")},
        "RestApiId": api,
        "Tags": tag_list(found.get("tags", {})),
    }


RESOURCE: Final = ResourceType("AWS::ApiGateway::Stage", read=_read, made_by="sam local", ref="{StageName}")
