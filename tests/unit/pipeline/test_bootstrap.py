"""The roles of a deployment trust one repository, end at one stack, and suffice for what the template declares."""

from __future__ import annotations

import copy
import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pipeline.resolved_template import resolve
from sam_template.repository import REPOSITORY, TEMPLATE
from sam_template.translation import parse

BOOTSTRAP = REPOSITORY / "pipeline" / "bootstrap.yaml"
DOCUMENT = parse(BOOTSTRAP, BOOTSTRAP.read_text())
EXECUTION = [name for name in DOCUMENT["Resources"] if name.startswith("Execution")]
"""The role that CloudFormation acts as, and its policies."""
SUBJECT = "token.actions.githubusercontent.com:sub"

FOR_EVERYTHING = {
    ("Boundary", "TraceAndJoinVpc"),
    ("DeployRole", "SeeSubnetsAndDrift"),
    ("ExecutionAtEdge", "MakeDistribution"),
    ("ExecutionAtEdge", "SeeDeliveries"),
    ("ExecutionCompute", "StopDeployments"),
    ("ExecutionInVpc", "LookAround"),
    ("ExecutionOfDomain", "FindZone"),
    ("ExecutionOfDomain", "RequestCertificate"),
    ("ExecutionOfCosts", "MakeMonitor"),
    ("ExecutionOfKey", "MakeKey"),
    ("ExecutionOfKey", "SeeAliases"),
    ("ExecutionOperations", "DeliverAccessLogs"),
    ("ExecutionData", "GenerateKey"),
    ("ExecutionOperations", "KeepSubscription"),
}
"""The only statements for resource `*`; each says in the file why no name can stand there."""

WITHOUT_THE_STACKS_NAME = {
    ("Boundary", "Keys"),  # tags
    ("Boundary", "UseKeys"),  # through three services alone
    ("DeployOwnStacks", "SeeVersionsOfPackages"),  # a prefix of the bucket
    ("DeployRole", "FindBootstrap"),  # its own stack
    ("DeployRole", "FindPackages"),  # a prefix of the bucket
    ("DeployRole", "HandStackToCloudFormation"),  # the role beside it
    ("DeployRole", "ReadSmokeTestKey"),  # tags
    ("DeployRole", "TransformTemplate"),
    ("ExecutionAtEdge", "AttachWebAcl"),  # reads
    ("ExecutionAtEdge", "DeliverEdgeLogs"),  # the stack's sources and destinations, beside deliveries' ids
    ("ExecutionAtEdge", "KeepDistribution"),  # tags
    ("ExecutionAtEdge", "KeepWebAcl"),  # the stack's, beside AWS's managed rules
    ("ExecutionAtEdge", "LetDistributionLog"),  # tags
    ("ExecutionAtEdge", "MakeWafsRole"),  # one role, whose permissions AWS decides
    ("ExecutionAtEdge", "SeeDistribution"),  # reads
    ("ExecutionAtEdge", "TagDistribution"),  # tags
    ("ExecutionInVpc", "ChangeTags"),  # tags
    ("ExecutionInVpc", "KeepSecurityGroups"),  # the VPC
    ("ExecutionInVpc", "MakeGroupsAndEndpoints"),  # beside the VPC
    ("ExecutionInVpc", "MakeInVpc"),  # the VPC
    ("ExecutionInVpc", "NameEndpoints"),  # the VPC that joins is the caller's too
    ("ExecutionInVpc", "TagWhatItMakes"),  # as it is made
    ("ExecutionCompute", "Api"),  # ids that API Gateway draws
    ("ExecutionCompute", "Deployments"),  # CodeDeploy's own configurations beside the stack's groups
    ("ExecutionData", "KeepSecret"),  # tags
    ("ExecutionCompute", "MakeApiGatewaysRole"),  # one role, whose permissions AWS decides
    ("ExecutionData", "MakeSecret"),  # tags
    ("ExecutionOfKey", "KeepKey"),  # tags
    ("ExecutionOperations", "SeeAlarms"),  # reads
    ("ExecutionData", "SeeSecret"),  # reads, under the names of the two above
    ("ExecutionCompute", "TransformTemplate"),
    ("ExecutionData", "UseKeys"),  # through three services alone
    ("ExecutionOfCosts", "KeepMonitor"),  # tags
    ("ExecutionOfCosts", "SeeBill"),  # reads
    ("ExecutionOfCosts", "SeeMonitor"),  # reads
    ("ExecutionOfDomain", "Domain"),  # one name
    ("ExecutionOfDomain", "KeepCertificate"),  # tags
    ("ExecutionOfDomain", "ReadTruststore"),  # a prefix of the bucket
    ("ExecutionOfDomain", "SeeCertificate"),  # reads
    ("ExecutionOfDomain", "SeeRecords"),  # reads
    ("ExecutionOfDomain", "SetRecords"),  # one name, and those below it
    ("ExecutionOfDomain", "TagCertificate"),  # tags
    ("PreviewRole", "FindBootstrap"),
    ("PreviewRole", "FindPreviews"),
    ("PreviewRole", "StorePreviews"),
    ("PreviewRole", "TransformTemplate"),
}
"""Statements whose resources cannot begin with the stack's name, and what limits them instead."""

Statement = Mapping[str, Any]


def statements(document: Mapping[str, Any], *names: str) -> Iterator[tuple[str, Statement]]:
    """Yield every Allow that a role or policy of `document` gives, with the resource's logical id."""
    for logical_id, resource in document["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"].startswith("AWS::IAM::") and (not names or logical_id in names):
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            yield from ((logical_id, statement) for each in documents for statement in each["Statement"])


def texts(value: Any) -> list[str]:
    """Return the text or texts of an Action or a Resource, intrinsics as their argument; a stack is `shop-${Stage}`."""
    each = value if isinstance(value, list) else [value]
    arguments = [item if isinstance(item, str) else next(iter(item.values())) for item in each]
    subs = [argument[0] if isinstance(argument, list) else argument for argument in arguments]
    return [text.replace("${Stack}", "shop-${Stage}").replace("shop-dev-*", "shop-${Stage}") for text in subs]


def actions(*names: str) -> set[str]:
    return {action for _, statement in statements(DOCUMENT, *names) for action in texts(statement["Action"])}


def allows(granted: set[str], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in granted)


def for_everything(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(name, each["Sid"]) for name, each in statements(document) if "*" in texts(each["Resource"])}


def without_the_stacks_name(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (name, each["Sid"])
        for name, each in statements(document)
        if "*" not in texts(each["Resource"]) and not all("shop-${Stage}" in text for text in texts(each["Resource"]))
    }


def trust(role: str) -> Mapping[str, Any]:
    statement, *_ = DOCUMENT["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    found: Mapping[str, Any] = statement["Condition"]
    return found


def test_a_role_trusts_one_environment_of_one_repository() -> None:
    audience = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    names = {"Environment": {"Fn::FindInMap": ["Stages", {"Ref": "Stage"}, "Environment"]}}
    environment = {SUBJECT: {"Fn::Sub": ["repo:${Repository}:environment:${Environment}", names]}}
    pull_request = {SUBJECT: {"Fn::Sub": "repo:${Repository}:pull_request"}}
    assert trust("DeployRole") == {"StringEquals": audience | environment}
    assert trust("PreviewRole") == {"StringEquals": audience | pull_request}


def test_only_named_statements_stand_for_everything() -> None:
    assert for_everything(DOCUMENT) == FOR_EVERYTHING
    assert without_the_stacks_name(DOCUMENT) == WITHOUT_THE_STACKS_NAME


def test_a_new_statement_for_everything_is_noticed() -> None:
    generous = copy.deepcopy(DOCUMENT)
    policy = generous["Resources"]["DeployRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"].append({"Sid": "Generous", "Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    assert for_everything(generous) - FOR_EVERYTHING == {("DeployRole", "Generous")}


def test_no_statement_allows_a_whole_service() -> None:
    granted = {action for _, each in statements(DOCUMENT) for action in texts(each["Action"])}
    assert {action for action in granted if action.partition(":")[2] in ("", "*")} == set()


def test_a_pull_request_can_change_nothing() -> None:
    granted = actions("PreviewRole")
    for action in (
        "cloudformation:ExecuteChangeSet",
        "iam:PassRole",
        "s3:DeleteObject",
        "secretsmanager:GetSecretValue",
    ):
        assert not allows(granted, action)
    written = [each for _, each in statements(DOCUMENT, "PreviewRole") if "s3:PutObject" in texts(each["Action"])]
    assert [texts(each["Resource"]) for each in written] == [["${ArtifactBucket.Arn}/preview/*"]]
    read = [text for _, each in statements(DOCUMENT, *EXECUTION) for text in texts(each["Resource"])]
    assert not any("/preview/" in text for text in read)


def test_cloudformation_gives_a_function_no_more_than_the_boundary() -> None:
    for _, statement in statements(DOCUMENT, *EXECUTION):
        gives = {"iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"} & set(texts(statement["Action"]))
        bounded = statement.get("Condition") == {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
        assert bounded or not gives, statement["Sid"]
    assert not allows(actions(*EXECUTION), "iam:DeleteRolePermissionsBoundary")
    assert not allows(actions(*EXECUTION), "iam:CreatePolicyVersion")


@pytest.mark.parametrize("name", ["OrdersRole", "OrdersFunctionRole", "OrdersNightlyRole", "CheckoutRole"])
def test_cloudformation_makes_the_role_of_whatever_has_one(name: str) -> None:
    """SAM's logical ids: of a function, of an event of one (ScheduleV2), of a state machine."""
    role = f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/shop-${{Stage}}-{name}-4TQY1B9J0KXZ"
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PassRole", "iam:DeleteRole"):
        patterns = [
            pattern
            for _, statement in statements(DOCUMENT, *EXECUTION)
            if allows(set(texts(statement["Action"])), action)
            for pattern in texts(statement["Resource"])
        ]
        assert any(fnmatch.fnmatchcase(role, pattern) for pattern in patterns), action


def test_the_boundary_allows_what_the_functions_are_given() -> None:
    boundary = actions("Boundary")
    roles = {
        name: resource["Properties"]
        for name, resource in resolve(TEMPLATE)["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and "PermissionsBoundary" in resource["Properties"]
    }
    assert {"InventoryFunctionRole", "ShopbotFunctionRole"} <= roles.keys()  # `make validate` names those without one
    for name, properties in roles.items():
        assert properties["PermissionsBoundary"].endswith(":policy/shop-prod-boundary"), name
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                for action in texts(statement["Action"]):
                    assert allows(boundary, action), f"{name} is given {action}, which the boundary takes away"


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a part of a policy with `values` for the names in Fn::Sub, and those of the mapping."""
    if isinstance(value, list):
        return [filled(member, values) for member in value]
    if not isinstance(value, dict):
        return value
    if "Fn::FindInMap" in value:
        return DOCUMENT["Mappings"]["Stages"][values["Stage"]][value["Fn::FindInMap"][2]]
    if "Fn::Sub" in value:
        text, given = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
        known = {**values, **filled(given, values)}
        return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text)
    if value == {"Ref": "Stage"}:
        return values["Stage"]
    if "Ref" in value or "Fn::GetAtt" in value:
        return "r" * 100
    return {name: filled(member, values) for name, member in value.items()}


def length(policy: Mapping[str, Any]) -> int:
    """Return the characters of a policy as IAM counts them, without white space, every name at its longest."""
    longest = {
        "AWS::Partition": "aws-us-gov",
        "AWS::Region": "ap-southeast-1",
        "AWS::AccountId": "0" * 12,
        "AWS::StackName": "shop-bootstrap-staging",
        "ArtifactBucket.Arn": "arn:aws-us-gov:s3:::" + "b" * 63,
        "Stage": "staging",
        "VpcId": "vpc-0123456789abcdef0",
        "DomainName": "d" * 64,
        "HostedZoneId": "Z" + "0" * 31,
    }
    return len(json.dumps(filled(policy, longest), separators=(",", ":")))


def test_every_policy_fits() -> None:
    """IAM User Guide, "IAM and AWS STS quotas": 6 144 characters a managed policy, 10 240 all inline ones of a role."""
    for name, resource in DOCUMENT["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            assert length(properties["PolicyDocument"]) < 6144, name
        elif resource["Type"] == "AWS::IAM::Role":
            assert sum(length(policy["PolicyDocument"]) for policy in properties.get("Policies", [])) < 10240, name
            attached = [
                each for each in DOCUMENT["Resources"].values() if {"Ref": name} in each["Properties"].get("Roles", [])
            ]
            assert len(attached) <= 10, name


def test_no_statement_reads_what_is_in_a_bucket_of_the_stack() -> None:
    """IAM's `*` matches a slash: a bucket's name that ends in one is the name of its objects too."""
    for _, statement in statements(DOCUMENT, *EXECUTION):
        if any("s3:::shop-" in text for text in texts(statement["Resource"])):
            assert not any(allows({action}, "s3:GetObject") for action in texts(statement["Action"]))


def test_the_bucket_of_packages_is_private_and_stays() -> None:
    bucket = DOCUMENT["Resources"]["ArtifactBucket"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    expiring = [rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    assert [rule["Prefix"] for rule in expiring] == ["preview/"], "what runs, or may be gone back to, never expires"


def test_the_roles_find_the_bootstrap_by_its_name() -> None:
    """Who describes a stack by name is checked against `stack/NAME/*`, which no ARN with an id matches."""
    for role in ("DeployRole", "PreviewRole"):
        (found,) = (each for _, each in statements(DOCUMENT, role) if each["Sid"] == "FindBootstrap")
        assert texts(found["Resource"])[0].endswith(":stack/${AWS::StackName}/*")


STAGES = [("staging", "shop-staging", "staging"), ("prod", "shop-prod", "prod"), ("dev", "shop-dev-*", "dev-*")]


@pytest.mark.parametrize(("stage", "stack", "tag"), STAGES)
def test_a_stages_roles_end_at_its_own_stacks(stage: str, stack: str, tag: str) -> None:
    """`shop-dev-*` are the stacks of developers and pull requests; no other stage's pattern reaches two stacks."""
    values = {name: name for name in ("AWS::Partition", "AWS::Region", "AWS::AccountId", "ArtifactBucket.Arn")}
    values |= {"AWS::StackName": "bootstrap", "VpcId": "vpc-0", "DomainName": "d", "HostedZoneId": "z", "Stage": stage}
    limits = WITHOUT_THE_STACKS_NAME | FOR_EVERYTHING
    for name, statement in statements(DOCUMENT):
        if (name, statement["Sid"]) not in limits and name not in ("DeployOwnStacks", "PreviewRole"):
            resources = filled(statement["Resource"], values)
            for resource in resources if isinstance(resources, list) else [resources]:
                assert f"shop-{stage}" in resource, statement["Sid"]
                assert stage != "dev" or "shop-dev-" in resource, statement["Sid"]
        for conditions in filled(statement.get("Condition", {}), values).values():
            for key, value in conditions.items():
                assert not key.endswith("Tag/Stage") or value == tag, statement["Sid"]
    (plan,) = (each for _, each in statements(DOCUMENT, "DeployRole") if each["Sid"] == "PlanStack")
    assert filled(plan["Resource"], values).endswith(f":stack/{stack}/*")


def test_only_stacks_of_ones_own_are_deleted_by_a_role() -> None:
    role = DOCUMENT["Resources"]["DeployOwnStacks"]
    assert role["Condition"] == "IsDevelopment"
    assert DOCUMENT["Conditions"]["IsDevelopment"] == {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}
    for action in ("cloudformation:DeleteStack", "s3:DeleteObjectVersion"):
        assert [name for name, each in statements(DOCUMENT) if action in texts(each["Action"])] == ["DeployOwnStacks"]


def test_developers_of_the_account_take_the_role_of_its_stacks_alone() -> None:
    _, developers = DOCUMENT["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    condition, statement, otherwise = developers["Fn::If"]
    assert (condition, otherwise) == ("IsDevelopment", {"Ref": "AWS::NoValue"})
    assert statement["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
