"""What exists, read back through the services' own APIs in the words of the template.

A reader takes the services, the physical id of a resource and its declared properties, and returns a member for every
property that it knows: what the service reports, or None when it reports nothing. A property that is missing from that
has no reader, and the rehearsal says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.rehearsal.readers import api, data, functions, network, operations
from pipeline.rehearsal.services import Services

Reader = Callable[[Services, str, Mapping[str, Any]], Mapping[str, Any]]

READERS: Final[Mapping[str, Reader]] = {
    "AWS::ApiGatewayV2::Api": api.http_api,
    "AWS::ApiGatewayV2::Stage": api.stage,
    "AWS::CloudFront::Distribution": network.distribution,
    "AWS::CloudWatch::Alarm": operations.alarm,
    "AWS::CloudWatch::Dashboard": operations.dashboard,
    "AWS::DynamoDB::Table": data.table,
    "AWS::EC2::SecurityGroup": network.security_group,
    "AWS::EC2::VPCEndpoint": network.vpc_endpoint,
    "AWS::IAM::Role": functions.role,
    "AWS::Lambda::Alias": functions.alias,
    "AWS::Lambda::Function": functions.function,
    "AWS::Lambda::Permission": functions.permission,
    "AWS::Lambda::Version": functions.version,
    "AWS::Logs::LogGroup": operations.log_group,
    "AWS::S3::Bucket": data.bucket,
    "AWS::S3::BucketPolicy": data.bucket_policy,
    "AWS::SNS::Subscription": operations.subscription,
    "AWS::SNS::Topic": operations.topic,
    "AWS::SecretsManager::Secret": data.secret,
}
