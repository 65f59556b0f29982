"""AWS::ApiGatewayV2::Stage.

Source: AWS CloudFormation Template Reference, "AWS::ApiGatewayV2::Stage"; Amazon API Gateway V2 API Reference,
"GetStage".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_DESCRIBED_AS_DECLARED: Final = ("AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "StageName", "Tags")


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    found = clients.named("apigatewayv2").get_stage(ApiId=declared["ApiId"], StageName=name)
    return {"ApiId": declared["ApiId"], **{key: found.get(key) for key in _DESCRIBED_AS_DECLARED}}


RESOURCE: Final = ResourceType("AWS::ApiGatewayV2::Stage", read=_read, made_by="sam local", ref="{StageName}")
