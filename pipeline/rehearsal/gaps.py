"""What the emulated CloudFormation is known not to make, in one list.

A property that is not made and not listed fails the rehearsal; so does one that is listed and made, or that no resource
declares any more.
"""

from __future__ import annotations

from typing import Final

from pipeline.rehearsal.comparison import Gap

UNKNOWN_TYPES: Final = frozenset(
    {"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", "AWS::EC2::SecurityGroupIngress"}
)
"""Types that the emulated CloudFormation refuses; the parameters of a rehearsal turn them off."""

_BODY: Final = "the Body is not read"
_SERVED: Final = f"{_BODY}; the rehearsal gives this to API Gateway itself before it uses the API"
_TAKEN: Final = "taken, and not reported or followed"

GAPS: Final[tuple[Gap, ...]] = (
    Gap("AWS::ApiGatewayV2::Api", "Body.info", _BODY),
    Gap("AWS::ApiGatewayV2::Api", "Body.paths", _SERVED),
    Gap("AWS::ApiGatewayV2::Api", "Body.servers", _BODY),
    Gap("AWS::ApiGatewayV2::Api", "Body.tags", _BODY),
    Gap("AWS::ApiGatewayV2::Api", "Body.x-amazon-apigateway-cors", _SERVED),
    Gap("AWS::ApiGatewayV2::Stage", "DefaultRouteSettings", f"{_TAKEN}: nothing throttles"),
    Gap("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", "left out; through DynamoDB's own API it works"),
    Gap("AWS::EC2::VPCEndpoint", "PolicyDocument", _TAKEN),
    Gap("AWS::EC2::VPCEndpoint", "PrivateDnsEnabled", _TAKEN),
    Gap("AWS::EC2::VPCEndpoint", "SecurityGroupIds", _TAKEN),
    Gap("AWS::Lambda::Function", "ReservedConcurrentExecutions", "left out; through Lambda's own API it works"),
    Gap("AWS::Lambda::Function", "VpcConfig", "left out: functions are processes of this machine"),
    Gap("AWS::S3::Bucket", "LifecycleConfiguration", "left out; through S3's own API it works"),
    Gap("AWS::S3::Bucket", "Tags", "left out; through S3's own API it works"),
    Gap(
        "AWS::SecretsManager::Secret", "GenerateSecretString.ExcludePunctuation", "the key has punctuation all the same"
    ),
)
