"""What differs between a laptop, staging and production, and what an optional part brings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pre_traffic_check import hook
from tests.unit.template.conftest import VPC, Stage

Make = Callable[..., Stage]
DATA = ("ShopInventory", "DataBucket", "ShopSecret", "ApiKeySecret")
FUNCTIONS = ("InventoryFunction", "ShopbotFunction")


@pytest.mark.parametrize(
    ("name", "delete", "replace"),
    [("local", "Delete", "Delete"), ("staging", "Delete", "Delete"), ("prod", "RetainExceptOnCreate", "Retain")],
)
def test_production_alone_keeps_its_data(stage: Make, name: str, delete: str, replace: str) -> None:
    shop = stage(Stage=name)
    for logical_id in DATA:
        # The protected table could not be deleted after a creation that failed.
        protected = (name, logical_id) == ("prod", "ShopInventory")
        assert shop.attribute(logical_id, "DeletionPolicy") == ("Retain" if protected else delete)
        assert shop.attribute(logical_id, "UpdateReplacePolicy") == replace


@pytest.mark.parametrize(
    ("name", "recovery", "protected", "kms"),
    [("local", False, False, False), ("staging", True, False, False), ("prod", True, True, True)],
)
def test_the_table_by_stage(stage: Make, name: str, recovery: bool, protected: bool, kms: bool) -> None:
    table = stage(Stage=name).properties("ShopInventory")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is recovery
    assert table["DeletionProtectionEnabled"] is protected
    assert table["SSESpecification"]["SSEEnabled"] is kms


@pytest.mark.parametrize(("name", "algorithm"), [("staging", "AES256"), ("prod", "aws:kms")])
def test_the_bucket_is_encrypted_in_every_stage(stage: Make, name: str, algorithm: str) -> None:
    (rule,) = stage(Stage=name).properties("DataBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm


@pytest.mark.parametrize(("name", "required"), [("local", "false"), ("staging", "true"), ("prod", "true")])
def test_writes_need_a_key_wherever_it_is_deployed(stage: Make, name: str, required: str) -> None:
    environment = stage(Stage=name).properties("InventoryFunction")["Environment"]["Variables"]
    assert environment["REQUIRE_API_KEY"] == required


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_version_is_published_behind_the_alias_live(prod: Stage, function: str) -> None:
    (version,) = [name for name, v in prod.of_type("AWS::Lambda::Version").items() if v["FunctionName"] == function]
    alias = prod.properties(f"{function}Aliaslive")
    assert (alias["Name"], alias["FunctionVersion"]) == ("live", f"{version}.Version")
    assert prod.properties(function)["SnapStart"] == {"ApplyOn": "PublishedVersions"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_version_before_stays_when_the_next_one_serves(prod: Stage, function: str) -> None:
    (version,) = [name for name, v in prod.of_type("AWS::Lambda::Version").items() if v["FunctionName"] == function]
    assert prod.attribute(version, "DeletionPolicy") == "Retain"


@pytest.mark.parametrize(("level", "enforced"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("ERROR", "INFO")])
def test_lambda_never_drops_the_lines_of_metrics(stage: Make, level: str, enforced: str) -> None:
    for function in FUNCTIONS:
        assert stage(LogLevel=level).properties(function)["LoggingConfig"]["ApplicationLogLevel"] == enforced


def test_the_check_outlasts_requests_that_time_out_twice(prod: Stage) -> None:
    requests = sum(len(each) for each in hook.REQUESTS.values())
    assert prod.properties("PreTrafficCheckFunction")["Timeout"] > requests * 2 * (hook.INVOCATION_SECONDS + 2)


def test_the_api_calls_the_aliases(prod: Stage) -> None:
    paths = prod.properties("ShopApi")["Body"]["paths"]
    uris = {
        operation["x-amazon-apigateway-integration"]["uri"]
        for methods in paths.values()
        for operation in methods.values()
    }
    assert {uri.partition("/functions/")[2] for uri in uris} == {
        f"{function}Aliaslive/invocations" for function in FUNCTIONS
    }


def test_python_311_has_no_snap_start(stage: Make) -> None:
    shop = stage(Stage="staging", LambdaRuntime="python3.11")
    assert shop.properties("InventoryFunction")["SnapStart"] == {"ApplyOn": "None"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_new_version_is_checked_gets_a_tenth_and_is_taken_back_by_its_alarm(prod: Stage, function: str) -> None:
    group = prod.properties(f"{function}DeploymentGroup")
    alarms = [f"{function.removesuffix('Function')}NewVersion{kind}Alarm" for kind in ("Errors", "Failures")]
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": alarm} for alarm in alarms]}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    shift = prod.attribute(f"{function}Aliaslive", "UpdatePolicy")["CodeDeployLambdaAliasUpdate"]
    assert shift["BeforeAllowTrafficHook"] == "PreTrafficCheckFunction"
    errors, failures = (
        {pair["Name"]: pair["Value"] for pair in prod.properties(alarm)["Dimensions"]} for alarm in alarms
    )
    assert errors["Resource"] == f"{function}:live"
    assert (
        errors["ExecutedVersion"] == failures["version"] == prod.properties(f"{function}Aliaslive")["FunctionVersion"]
    )
    variables = prod.properties(function)["Environment"]["Variables"]
    assert failures["service"] == variables["POWERTOOLS_SERVICE_NAME"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_alarm_is_named_after_the_version_that_it_watches(prod: Stage, function: str) -> None:
    """Under a name that stays, PutMetricAlarm keeps the state: the version before would refuse its correction."""
    version = prod.properties(f"{function}Aliaslive")["FunctionVersion"]
    for kind in ("Errors", "Failures"):
        name = f"{function.removesuffix('Function')}NewVersion{kind}"
        assert prod.properties(f"{name}Alarm")["AlarmName"].endswith(f"-{name}-{version}")


def test_the_check_can_be_invoked_by_codedeploy_and_knows_both_versions(prod: Stage) -> None:
    check = prod.properties("PreTrafficCheckFunction")
    assert check["FunctionName"].startswith("CodeDeployHook_")
    versions = set(prod.of_type("AWS::Lambda::Version"))
    assert {check["Environment"]["Variables"][f"{name}_VERSION"] for name in ("INVENTORY", "SHOPBOT")} == versions


def test_without_a_gradual_deployment_nothing_of_codedeploy_is_left(stage: Make) -> None:
    shop = stage(Stage="staging")
    types = {resource["Type"] for resource in shop.template.resources.values()}
    assert not any(type_name.startswith("AWS::CodeDeploy") for type_name in types)
    assert "PreTrafficCheckFunction" not in shop.template.resources
    assert shop.attribute("InventoryFunctionAliaslive", "UpdatePolicy") is None


@pytest.mark.parametrize(("function", "name"), [("InventoryFunction", "Inventory"), ("ShopbotFunction", "Shopbot")])
def test_reserved_concurrency(stage: Make, function: str, name: str) -> None:
    assert "ReservedConcurrentExecutions" not in stage().properties(function)
    reserved = stage(**{f"{name}ReservedConcurrency": "20"}).properties(function)
    assert reserved["ReservedConcurrentExecutions"] == "20"


class TestVpc:
    def egress(self, shop: Stage) -> list[tuple[Any, Any]]:
        rules = shop.properties("ShopbotSecurityGroup")["SecurityGroupEgress"]
        assert all(rule["FromPort"] == rule["ToPort"] for rule in rules)
        return [(int(rule["ToPort"]), rule.get("CidrIp") or rule["DestinationSecurityGroupId"]) for rule in rules]

    def test_without_one_there_is_no_network(self, prod: Stage) -> None:
        assert "VpcConfig" not in prod.properties("ShopbotFunction")
        assert not any("EC2" in resource["Type"] for resource in prod.template.resources.values())

    def test_the_shopbot_reaches_redis_and_https_and_http_only(self, stage: Make) -> None:
        shop = stage(**VPC)
        assert shop.properties("ShopbotFunction")["VpcConfig"] == {
            "SecurityGroupIds": ["ShopbotSecurityGroup"],
            "SubnetIds": ["subnet-1", "subnet-2"],
        }
        assert "VpcConfig" not in shop.properties("InventoryFunction")
        assert self.egress(shop) == [(6379, "0.0.0.0/0"), (443, "0.0.0.0/0"), (80, "0.0.0.0/0")]
        assert "SecurityGroupIngress" not in shop.properties("ShopbotSecurityGroup")

    def test_the_group_of_redis_lets_the_shopbot_in(self, everything: Stage) -> None:
        assert self.egress(everything)[0] == (6379, "sg-1")
        ingress = everything.properties("RedisIngressFromShopbot")
        assert (ingress["GroupId"], ingress["SourceSecurityGroupId"]) == ("sg-1", "ShopbotSecurityGroup")

    def test_endpoints_serve_the_shopbot_alone(self, everything: Stage) -> None:
        table = everything.properties("TableEndpoint")
        assert (table["VpcEndpointType"], table["RouteTableIds"]) == ("Gateway", ["rtb-1", "rtb-2"])
        (ingress,) = everything.properties("SecretsEndpointSecurityGroup")["SecurityGroupIngress"]
        assert (ingress["ToPort"], ingress["SourceSecurityGroupId"]) == (443, "ShopbotSecurityGroup")


class TestSecret:
    ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-keys-a1b2c3"

    def test_one_that_exists_is_used_and_none_is_made(self, stage: Make) -> None:
        shop = stage(ExistingSecretArn=self.ARN)
        assert "ShopSecret" not in shop.template.resources
        assert shop.properties("ShopbotFunction")["Environment"]["Variables"]["SECRETS_MANAGER_SECRET"] == self.ARN

    def test_each_function_reads_its_own(self, prod: Stage) -> None:
        secrets = {
            name: prod.properties(name)["Environment"]["Variables"]["SECRETS_MANAGER_SECRET"] for name in FUNCTIONS
        }
        assert secrets == {"InventoryFunction": "ApiKeySecret", "ShopbotFunction": "ShopSecret"}
        for function, secret in secrets.items():
            (policy,) = prod.properties(f"{function}Role")["Policies"]
            read = [
                statement["Resource"]
                for statement in policy["PolicyDocument"]["Statement"]
                if statement["Action"] == "secretsmanager:GetSecretValue"
            ]
            assert read == [secret]

    def test_it_can_be_given_a_name(self, prod: Stage, stage: Make) -> None:
        assert "Name" not in prod.properties("ShopSecret")
        assert stage(SecretName="shop-prod/keys").properties("ShopSecret")["Name"] == "shop-prod/keys"


class TestEdge:
    def test_there_is_none_unless_wanted(self, prod: Stage) -> None:
        assert "Distribution" not in prod.template.resources
        assert "CloudFrontUrl" not in prod.template.outputs

    def test_the_api_is_its_origin_and_is_never_cached(self, everything: Stage) -> None:
        config = everything.properties("Distribution")["DistributionConfig"]
        assert config["Origins"][0]["DomainName"] == "ShopApi.execute-api.us-east-1.amazonaws.com"
        assert config["DefaultCacheBehavior"]["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        # Compress needs a cache policy that caches (CloudFront Developer Guide, "Serve compressed files").
        assert "Compress" not in config["DefaultCacheBehavior"]
        assert config["WebACLId"].endswith("webacl/shop/1")


def test_a_function_is_told_by_name_and_by_arn(prod: Stage) -> None:
    for function in FUNCTIONS:
        assert prod.template.outputs[f"{function}Name"]["Value"] == {"Ref": function}
        assert prod.template.outputs[f"{function}Arn"]["Value"] == {"Fn::GetAtt": [function, "Arn"]}
