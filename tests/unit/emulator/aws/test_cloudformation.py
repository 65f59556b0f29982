"""What the endpoint's CloudFormation makes to no effect is said."""

from __future__ import annotations

import pytest

from emulator.aws.cloudformation import left_out


@pytest.mark.parametrize("type_name", ["AWS::ApiGatewayV2::Route", "AWS::ApiGateway::Method"])
@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        ("AWS_IAM", ["neither sam local nor the gateway checks AWS_IAM: both let everybody in"]),
        ("COGNITO_USER_POOLS", ["neither sam local nor the gateway checks COGNITO_USER_POOLS: both let everybody in"]),
        ("JWT", ["sam local does not ask its authorizer, and lets everybody in; the gateway asks it"]),
        ("CUSTOM", []),
        ("NONE", []),
    ],
)
def test_authorization_that_is_not_enforced_is_named(type_name: str, authorization: str, said: list[str]) -> None:
    assert list(left_out(type_name, {"AuthorizationType": authorization})) == said
    assert left_out(type_name, {}) == ()
