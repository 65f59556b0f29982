"""What the emulated CloudFormation is known not to make, in one list.

A property that is not made and not listed fails the rehearsal; so does one that is listed and made, or that no resource
declares any more.
"""

from __future__ import annotations

from typing import Final

from pipeline.rehearsal.comparison import Gap

_BODY: Final = "the Body is not read"
_SERVED: Final = f"{_BODY}; the rehearsal gives this to API Gateway itself before it uses the API"

GAPS: Final[tuple[Gap, ...]] = (
    Gap("AWS::ApiGatewayV2::Api", "Body.info", _BODY),
    Gap("AWS::ApiGatewayV2::Api", "Body.paths", _SERVED),
    Gap("AWS::ApiGatewayV2::Api", "Body.tags", _BODY),
    Gap("AWS::ApiGatewayV2::Api", "Body.x-amazon-apigateway-cors", _SERVED),
    Gap("AWS::ApiGatewayV2::Stage", "DefaultRouteSettings", "taken, and not reported or followed: nothing throttles"),
    Gap("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", "left out; through DynamoDB's own API it works"),
    Gap("AWS::S3::Bucket", "LifecycleConfiguration", "left out; through S3's own API it works"),
    Gap("AWS::S3::Bucket", "Tags", "left out; through S3's own API it works"),
    Gap(
        "AWS::SecretsManager::Secret", "GenerateSecretString.ExcludePunctuation", "the key has punctuation all the same"
    ),
)
