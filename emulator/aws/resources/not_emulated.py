"""Resource types of which a local run needs no more than a name: why, and what `Ref` and `Fn::GetAtt` give for them.

Source of the return values: AWS CloudFormation Template Reference, "Return values" of each type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.aws.resource_type import Created, generated_name

_SERVED_BY_SAM: Final = "sam local serves it"
_PERMISSION: Final = "nobody but sam local invokes the function"
_LOGS: Final = "functions log to the screen"
_OPERATIONS: Final = "nothing watches a laptop"
_DEPLOYMENT: Final = "a local run deploys nothing"
_NETWORK: Final = "everything answers on the loopback interface"


@dataclass(frozen=True)
class NotEmulated:
    """Why a type is not created, and its return values as patterns.

    A pattern may hold `{name}` (the physical name), `{id}` (ten lower-case characters), `{region}`, `{account}` and any
    property that is a text, such as `{FunctionName}`. `name_property` is where the template may give the name.
    """

    reason: str
    ref: str = "{name}"
    attributes: Mapping[str, str] = field(default_factory=dict)
    name_property: str = ""

    def values(
        self, stack_name: str, logical_id: str, properties: Mapping[str, Any], *, region: str, account: str
    ) -> Created:
        """Return what `Ref` and `Fn::GetAtt` would give in AWS for a resource of the local stack."""
        name = properties.get(self.name_property) or generated_name(stack_name, logical_id, 64)
        short = hashlib.sha256(f"{stack_name}/{logical_id}/id".encode()).hexdigest()[:10]
        texts = {key: value for key, value in properties.items() if isinstance(value, str)}
        known = {**texts, "name": name, "id": short, "region": region, "account": account}
        attributes = {key: _fill(pattern, known) for key, pattern in self.attributes.items()}
        return Created(_fill(self.ref, known), attributes)


def _fill(pattern: str, known: Mapping[str, str]) -> str:
    for key, value in known.items():
        pattern = pattern.replace("{" + key + "}", value)
    return pattern


_FUNCTION_ARN: Final = "arn:aws:lambda:{region}:{account}:function:"

NOT_EMULATED: Final[Mapping[str, NotEmulated]] = {
    "AWS::ApiGatewayV2::Api": NotEmulated(
        _SERVED_BY_SAM, "{id}", {"ApiEndpoint": "https://{id}.execute-api.{region}.amazonaws.com", "ApiId": "{id}"}
    ),
    "AWS::ApiGatewayV2::ApiMapping": NotEmulated(_DEPLOYMENT, "{id}", {"ApiMappingId": "{id}"}),
    "AWS::ApiGatewayV2::DomainName": NotEmulated(
        _DEPLOYMENT,
        "{DomainName}",
        {"RegionalDomainName": "d-{id}.execute-api.{region}.amazonaws.com", "RegionalHostedZoneId": "Z1UJRXOUMOOFQ8"},
    ),
    "AWS::ApiGatewayV2::Stage": NotEmulated(_SERVED_BY_SAM, "{StageName}"),
    "AWS::CloudFront::CachePolicy": NotEmulated(_NETWORK, "{id}", {"Id": "{id}"}),
    "AWS::CloudFront::Distribution": NotEmulated(_NETWORK, "{id}", {"DomainName": "{id}.cloudfront.net", "Id": "{id}"}),
    "AWS::CloudFront::OriginRequestPolicy": NotEmulated(_NETWORK, "{id}", {"Id": "{id}"}),
    "AWS::CloudFront::ResponseHeadersPolicy": NotEmulated(_NETWORK, "{id}", {"Id": "{id}"}),
    "AWS::CloudWatch::Alarm": NotEmulated(
        _OPERATIONS,
        attributes={"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},
        name_property="AlarmName",
    ),
    "AWS::CloudWatch::CompositeAlarm": NotEmulated(
        _OPERATIONS,
        attributes={"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},
        name_property="AlarmName",
    ),
    "AWS::CloudWatch::Dashboard": NotEmulated(_OPERATIONS, name_property="DashboardName"),
    "AWS::CodeDeploy::Application": NotEmulated(_DEPLOYMENT, name_property="ApplicationName"),
    "AWS::CodeDeploy::DeploymentGroup": NotEmulated(_DEPLOYMENT, name_property="DeploymentGroupName"),
    "AWS::EC2::SecurityGroup": NotEmulated(
        _NETWORK, "sg-{id}", {"GroupId": "sg-{id}", "Id": "sg-{id}", "VpcId": "{VpcId}"}
    ),
    "AWS::EC2::SecurityGroupEgress": NotEmulated(_NETWORK, "sgr-{id}", {"Id": "sgr-{id}"}),
    "AWS::EC2::SecurityGroupIngress": NotEmulated(_NETWORK, "sgr-{id}", {"Id": "sgr-{id}"}),
    "AWS::EC2::VPCEndpoint": NotEmulated(_NETWORK, "vpce-{id}", {"Id": "vpce-{id}"}),
    "AWS::Lambda::Alias": NotEmulated(_DEPLOYMENT, _FUNCTION_ARN + "{FunctionName}:{Name}"),
    "AWS::Lambda::EventInvokeConfig": NotEmulated(_DEPLOYMENT),
    "AWS::Lambda::Function": NotEmulated(
        _SERVED_BY_SAM, attributes={"Arn": _FUNCTION_ARN + "{name}"}, name_property="FunctionName"
    ),
    "AWS::Lambda::Permission": NotEmulated(_PERMISSION),
    "AWS::Lambda::Version": NotEmulated(
        _DEPLOYMENT,
        _FUNCTION_ARN + "{FunctionName}:1",
        {"FunctionArn": _FUNCTION_ARN + "{FunctionName}:1", "Version": "1"},
    ),
    "AWS::Logs::LogGroup": NotEmulated(
        _LOGS,
        attributes={"Arn": "arn:aws:logs:{region}:{account}:log-group:{name}:*"},
        name_property="LogGroupName",
    ),
    "AWS::Logs::MetricFilter": NotEmulated(_LOGS, name_property="FilterName"),
    "AWS::SNS::Subscription": NotEmulated(_OPERATIONS, "arn:aws:sns:{region}:{account}:{name}"),
    "AWS::SNS::Topic": NotEmulated(
        _OPERATIONS,
        "arn:aws:sns:{region}:{account}:{name}",
        {"TopicArn": "arn:aws:sns:{region}:{account}:{name}", "TopicName": "{name}"},
        name_property="TopicName",
    ),
    "AWS::SNS::TopicPolicy": NotEmulated(_OPERATIONS),
    "AWS::WAFv2::WebACLAssociation": NotEmulated(_NETWORK),
}
