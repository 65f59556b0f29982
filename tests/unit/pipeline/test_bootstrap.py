"""The roles of a deployment trust one repository, end at one stack, and suffice for what the template declares."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.resolved_template import resolve
from sam_template.repository import REPOSITORY, TEMPLATE
from sam_template.translation import parse

BOOTSTRAP = REPOSITORY / "pipeline" / "bootstrap.yaml"
DOCUMENT = parse(BOOTSTRAP, BOOTSTRAP.read_text())
SUBJECT = "token.actions.githubusercontent.com:sub"

FOR_EVERYTHING = {
    ("Boundary", "TraceAndJoinVpc"),
    ("ExecutionInVpc", "LookAround"),
    ("ExecutionRole", "DeliverAccessLogs"),
    ("ExecutionRole", "GenerateKey"),
    ("ExecutionRole", "KeepSubscription"),
}
"""The only statements for resource `*`; each says in the file why no name can stand there."""

WITHOUT_THE_STACKS_NAME = {
    ("Boundary", "Keys"),  # tags
    ("Boundary", "UseAwsKeys"),  # through three services alone
    ("DeployRole", "FindBootstrap"),  # its own stack
    ("DeployRole", "FindPackages"),  # a prefix of the bucket
    ("DeployRole", "HandStackToCloudFormation"),  # the role beside it
    ("DeployRole", "ReadSmokeTestKey"),  # tags
    ("DeployRole", "TransformTemplate"),
    ("ExecutionAtEdge", "AttachWebAcl"),  # reads
    ("ExecutionAtEdge", "KeepDistribution"),  # tags
    ("ExecutionAtEdge", "MakeDistribution"),  # makes and reads
    ("ExecutionAtEdge", "TagDistribution"),  # tags
    ("ExecutionInVpc", "KeepSecurityGroups"),  # the VPC
    ("ExecutionInVpc", "MakeGroupsAndEndpoints"),  # beside the VPC
    ("ExecutionInVpc", "MakeInVpc"),  # the VPC
    ("ExecutionInVpc", "TagWhatItMakes"),  # as it is made
    ("ExecutionRole", "Api"),  # ids that API Gateway draws
    ("ExecutionRole", "Deployments"),  # CodeDeploy's own configurations beside the stack's groups
    ("ExecutionRole", "KeepSecret"),  # tags
    ("ExecutionRole", "MakeApiGatewaysRole"),  # one role, whose permissions AWS decides
    ("ExecutionRole", "MakeSecret"),  # tags
    ("ExecutionRole", "SeeAlarms"),  # reads
    ("ExecutionRole", "SeeSecret"),  # reads, under the names of the two above
    ("ExecutionRole", "TransformTemplate"),
    ("ExecutionRole", "UseAwsKeys"),  # through three services alone
    ("PreviewRole", "FindBootstrap"),
    ("PreviewRole", "FindPreviews"),
    ("PreviewRole", "StorePreviews"),
    ("PreviewRole", "TransformTemplate"),
}
"""Statements whose resources cannot begin with the stack's name, and what limits them instead."""

MADE_BY = {
    "AWS::ApiGatewayV2::Api": "apigateway:POST",
    "AWS::ApiGatewayV2::Stage": "apigateway:POST",
    "AWS::CloudFront::Distribution": "cloudfront:CreateDistribution",
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard",
    "AWS::CodeDeploy::Application": "codedeploy:CreateApplication",
    "AWS::CodeDeploy::DeploymentGroup": "codedeploy:CreateDeploymentGroup",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable",
    "AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup",
    "AWS::EC2::SecurityGroupIngress": "ec2:AuthorizeSecurityGroupIngress",
    "AWS::EC2::VPCEndpoint": "ec2:CreateVpcEndpoint",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::Lambda::Alias": "lambda:CreateAlias",
    "AWS::Lambda::Function": "lambda:CreateFunction",
    "AWS::Lambda::Permission": "lambda:AddPermission",
    "AWS::Lambda::Version": "lambda:PublishVersion",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
    "AWS::SNS::Subscription": "sns:Subscribe",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SecretsManager::Secret": "secretsmanager:CreateSecret",
}
"""The action that makes a resource of each type (Service Authorization Reference)."""

Statement = Mapping[str, Any]


def statements(document: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Statement]]:
    """Yield every Allow that a role or policy of `document` gives, with the resource's logical id."""
    for logical_id, resource in document["Resources"].items():
        properties = resource["Properties"]
        if resource["Type"].startswith("AWS::IAM::") and name in ("", logical_id):
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
            yield from ((logical_id, statement) for each in documents for statement in each["Statement"])


def texts(value: Any) -> list[str]:
    """Return the text or texts of an Action or a Resource, intrinsics as their argument."""
    each = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else str(next(iter(item.values()))) for item in each]


def actions(name: str) -> set[str]:
    return {action for _, statement in statements(DOCUMENT, name) for action in texts(statement["Action"])}


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
    (statement,) = DOCUMENT["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    found: Mapping[str, Any] = statement["Condition"]
    return found


def test_a_role_trusts_one_environment_of_one_repository() -> None:
    audience = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    environment = {SUBJECT: {"Fn::Sub": "repo:${Repository}:environment:${Stage}"}}
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
    read = [text for _, each in statements(DOCUMENT, "ExecutionRole") for text in texts(each["Resource"])]
    assert not any("/preview/" in text for text in read)


def test_cloudformation_gives_a_function_no_more_than_the_boundary() -> None:
    for _, statement in statements(DOCUMENT, "ExecutionRole"):
        gives = {"iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"} & set(texts(statement["Action"]))
        bounded = statement.get("Condition") == {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
        assert bounded or not gives, statement["Sid"]
    assert not allows(actions("ExecutionRole"), "iam:DeleteRolePermissionsBoundary")
    assert not allows(actions("ExecutionRole"), "iam:CreatePolicyVersion")


def test_the_boundary_allows_what_the_functions_are_given() -> None:
    boundary = actions("Boundary")
    roles = {
        name: resource["Properties"]
        for name, resource in resolve(TEMPLATE)["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and name != "CodeDeployServiceRole"
    }
    assert roles
    for name, properties in roles.items():
        assert properties["PermissionsBoundary"].endswith(":policy/shop-prod-boundary"), name
        for policy in properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                for action in texts(statement["Action"]):
                    assert allows(boundary, action), f"{name} is given {action}, which the boundary takes away"


def test_the_execution_role_can_make_every_kind_of_resource() -> None:
    granted = actions("ExecutionRole") | actions("ExecutionInVpc") | actions("ExecutionAtEdge")
    for name, resource in resolve(TEMPLATE)["Resources"].items():
        assert resource["Type"] in MADE_BY, f"name the action that makes {name}, and let ExecutionRole have it"
        assert allows(granted, MADE_BY[resource["Type"]]), f"{name} cannot be made"


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
