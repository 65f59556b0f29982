"""AWS::ApiGateway::Deployment.

Source: AWS CloudFormation Template Reference, "AWS::ApiGateway::Deployment"; Amazon API Gateway V1 API Reference,
"GetDeployment".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, deployment_id: str, declared: Properties) -> Properties:
    api = declared["RestApiId"]
    found = clients.named("apigateway").get_deployment(restApiId=api, deploymentId=deployment_id)
    return {"Description": found.get("description"), "RestApiId": api}


RESOURCE: Final = ResourceType(
    "AWS::ApiGateway::Deployment", read=_read, made_by="sam local", ref="{id}", attributes={"DeploymentId": "{ref}"}
)
