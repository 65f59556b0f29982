"""Every permission names what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.template.conftest import SHOPS_FUNCTIONS, Stage, statements


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_allowed_actions_and_resources_are_named(everything: Stage) -> None:
    allowed = [(where, statement) for where, statement in statements(everything) if statement["Effect"] == "Allow"]
    assert len(allowed) > 8
    for where, statement in allowed:
        if "Resource" in statement:  # a trust policy has none
            assert not [action for action in listed(statement["Action"]) if "*" in action], where
            assert "*" not in listed(statement["Resource"]), where
            # SAM's own statements have none, and those that `make validate` proposes need none.
            assert statement.get("Sid") or where.removesuffix("Role") not in SHOPS_FUNCTIONS, where


def test_a_principal_that_is_anyone_is_narrowed_by_a_condition(everything: Stage) -> None:
    anyone = [statement for _, statement in statements(everything) if statement.get("Principal") == "*"]
    assert anyone
    assert all(statement["Condition"] for statement in anyone)


def test_the_bucket_refuses_plain_http(everything: Stage) -> None:
    (statement,) = everything.properties("DataBucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["DataBucket.Arn", "DataBucket.Arn/*"]


def test_the_shopbot_only_reads_the_table(everything: Stage) -> None:
    actions = {
        action
        for where, statement in statements(everything)
        if where == "ShopbotFunctionRole"
        for action in listed(statement["Action"])
    }
    assert actions == {"dynamodb:BatchGetItem", "secretsmanager:GetSecretValue"}


def test_roles_are_assumed_by_their_service_alone(everything: Stage) -> None:
    roles: Mapping[str, Mapping[str, Any]] = everything.of_type("AWS::IAM::Role")
    services = {
        name: service
        for name, role in roles.items()
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
        for service in statement["Principal"]["Service"]
    }
    of_functions = {function.role for function in everything.template.functions.values()}
    assert {services.pop(role) for role in of_functions} == {"lambda.amazonaws.com"}
    assert services.pop("CodeDeployServiceRole") == "codedeploy.amazonaws.com"
    assert all(service.endswith(".amazonaws.com") for service in services.values())
