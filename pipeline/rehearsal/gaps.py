"""What the emulated CloudFormation is known not to make, in one list.

A property that is not made and not listed fails the rehearsal; so does one that is listed and made wherever something
declares it. What nothing declares may stay. A type that is not known at all needs no line: it gets a placeholder.
"""

from __future__ import annotations

from typing import Final

from pipeline.rehearsal.comparison import Gap

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
    Gap("AWS::CloudFront::Distribution", "DistributionConfig.ViewerCertificate", "left out"),
    Gap("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", "left out; through DynamoDB's own API it works"),
    Gap("AWS::DynamoDB::Table", "SSESpecification.KMSMasterKeyId", "left out; through DynamoDB's own API it works"),
    Gap("AWS::DynamoDB::Table", "SSESpecification.SSEEnabled", "left out; through DynamoDB's own API it works"),
    Gap("AWS::DynamoDB::Table", "SSESpecification.SSEType", "left out; through DynamoDB's own API it works"),
    Gap("AWS::EC2::VPCEndpoint", "PolicyDocument", _TAKEN),
    Gap("AWS::EC2::VPCEndpoint", "PrivateDnsEnabled", _TAKEN),
    Gap("AWS::EC2::VPCEndpoint", "SecurityGroupIds", _TAKEN),
    Gap("AWS::IAM::Role", "PermissionsBoundary", "left out; through IAM's own API it works"),
    Gap("AWS::Lambda::Function", "Environment.Variables.API_URL", "the API answers at the emulated account's address"),
    Gap("AWS::Lambda::Function", "ReservedConcurrentExecutions", "left out; through Lambda's own API it works"),
    Gap("AWS::Lambda::Function", "VpcConfig", "left out: functions are processes of this machine"),
    Gap("AWS::S3::Bucket", "BucketEncryption", "left out; through S3's own API it works"),
    Gap("AWS::S3::Bucket", "LifecycleConfiguration", "left out; through S3's own API it works"),
    Gap("AWS::S3::Bucket", "Tags", "left out; through S3's own API it works"),
    Gap("AWS::SNS::Topic", "KmsMasterKeyId", "left out; through SNS's own API it works"),
    Gap(
        "AWS::SecretsManager::Secret", "GenerateSecretString.ExcludePunctuation", "the key has punctuation all the same"
    ),
)
