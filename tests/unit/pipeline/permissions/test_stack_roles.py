"""The role that CloudFormation acts as suffices for every type of the template, by AWS's own lists."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.permissions.__main__ import BOOTSTRAP
from pipeline.permissions.registry import dependent_actions, handler_permissions, is_action, knows_resources
from pipeline.permissions.stack_roles import audit_execution_role
from pipeline.permissions.unused_actions import UNUSED, Unused
from pipeline.resolved_template import resolve
from sam_template.translation import parse

TEMPLATE = Path(__file__).resolve().parents[4] / "template.yaml"
ROLE = parse(BOOTSTRAP, BOOTSTRAP.read_text())


@pytest.fixture(scope="module")
def resources() -> Mapping[str, Any]:
    found: Mapping[str, Any] = resolve(TEMPLATE)["Resources"]
    return found


def without(*actions: str, resource: str = "") -> Mapping[str, Any]:
    """Return the bootstrap whose policies lack some actions, or name another resource for them."""
    changed = copy.deepcopy(ROLE)
    for each in changed["Resources"].values():
        for statement in each["Properties"].get("PolicyDocument", {}).get("Statement", []):
            named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if resource and set(actions) & set(named):
                statement["Resource"] = resource
            elif not resource:
                statement["Action"] = [action for action in named if action not in actions]
    return changed


def test_the_role_may_do_all_that_the_template_needs(resources: Mapping[str, Any]) -> None:
    if audit_execution_role(resources, ROLE):
        pytest.fail("ExecutionRole in bootstrap.yaml lacks permissions: `make validate` names each.", pytrace=False)


@pytest.mark.parametrize(
    ("action", "type_name"),
    [
        ("ec2:DeleteTags", "AWS::EC2::SecurityGroup"),
        ("iam:UpdateAssumeRolePolicy", "AWS::IAM::Role"),
        ("route53:AssociateVPCWithHostedZone", "AWS::EC2::VPCEndpoint"),  # on which ec2:CreateVpcEndpoint depends
    ],
)
def test_an_action_that_is_missing_is_named(resources: Mapping[str, Any], action: str, type_name: str) -> None:
    sentence = f"Let ExecutionRole in bootstrap.yaml do {action}: CloudFormation calls it for {type_name}."
    assert sentence in audit_execution_role(resources, without(action))


@pytest.mark.parametrize("action", ["cloudfront:CreateDistribution", "logs:DescribeIndexPolicies"])
def test_a_resource_for_an_action_that_knows_none_is_named(resources: Mapping[str, Any], action: str) -> None:
    sentence = f'Let ExecutionRole in bootstrap.yaml do {action} on "*": the action knows no other resource.'
    assert sentence in audit_execution_role(resources, without(action, resource="arn:aws:service:::name"))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            Unused("AWS::DynamoDB::Table", "dynamodb:UpdateTable", "it is not changed", "KeySchema"),
            "Strike KeySchema of AWS::DynamoDB::Table off the unused actions: the template declares it.",
        ),
        (
            Unused("AWS::DynamoDB::Table", "dynamodb:Dream", "nobody does"),
            "Strike dynamodb:Dream of AWS::DynamoDB::Table off the unused actions: no handler calls it.",
        ),
        (
            Unused("AWS::SQS::Queue", "sqs:CreateQueue", "there is none"),
            "Strike AWS::SQS::Queue off the unused actions: the template has none.",
        ),
    ],
)
def test_an_exception_that_is_none_any_more_is_stale(entry: Unused, sentence: str) -> None:
    table = {"Items": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": []}}}
    current = [each for each in UNUSED if each.type_name == "AWS::DynamoDB::Table"]
    assert audit_execution_role(table, ROLE, [*current, entry]) == [sentence]


def test_a_role_without_a_boundary_is_named(resources: Mapping[str, Any]) -> None:
    bounded = resources["InventoryFunctionRole"]
    bare = {**bounded, "Properties": {**bounded["Properties"]}}
    del bare["Properties"]["PermissionsBoundary"]
    said = audit_execution_role({"OrdersEventRole": bare, "InventoryFunctionRole": bounded}, ROLE, [])
    assert [sentence for sentence in said if sentence.startswith("Let the")] == [
        (
            "Let the PermissionsBoundary of Globals be that of OrdersEventRole too (a function, a state machine, a "
            "ScheduleV2 event and a role have the property): ExecutionRole may make no role without it."
        )
    ]


def test_a_service_whose_dependent_actions_are_not_known_is_named_beside_what_lacks() -> None:
    said = audit_execution_role({"Cache": {"Type": "AWS::MemoryDB::Cluster", "Properties": {}}}, ROLE, [])
    assert said[0] == (
        "Add memorydb to dependent_actions.json: CloudFormation calls its actions for AWS::MemoryDB::Cluster, and what "
        "they need besides is not known here."
    )
    lacking = "Let ExecutionRole in bootstrap.yaml do memorydb:CreateCluster: CloudFormation calls it for "
    assert f"{lacking}AWS::MemoryDB::Cluster." in said


def test_a_type_that_the_registry_says_nothing_of_is_named() -> None:
    types = {"Made": {"Type": "Custom::Resource", "Properties": {}}}
    assert audit_execution_role(types, ROLE, []) == [
        "Use another type than Custom::Resource: what CloudFormation does for it is not in the registry."
    ]


def test_what_aws_publishes_is_read() -> None:
    assert {"sns:CreateTopic", "sns:TagResource"} <= handler_permissions("AWS::SNS::Topic")
    assert "route53:AssociateVPCWithHostedZone" in dependent_actions("ec2:CreateVpcEndpoint")
    assert dependent_actions("ec2:DeleteSecurityGroup") == frozenset()
    assert knows_resources("cloudfront:UpdateDistribution")
    assert not knows_resources("cloudfront:CreateDistribution")
    assert is_action("s3:PutBucketCORS")
    assert not is_action("s3:DeleteBucketCors")


def test_a_service_that_nobody_listed_is_no_service_without_dependents() -> None:
    with pytest.raises(KeyError):
        dependent_actions("memorydb:CreateCluster")
