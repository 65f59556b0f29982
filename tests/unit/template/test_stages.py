"""What differs between a laptop, staging and production, and what an optional part brings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from pre_traffic_check import hook
from sam_template import TemplateError
from sam_template.repository import TEMPLATE
from sam_template.translation import parse
from tests.unit.template.conftest import PROD, VPC, Stage, statements

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
    aliased = {alias["FunctionName"] for alias in prod.of_type("AWS::Lambda::Alias").values()}
    assert set(FUNCTIONS) <= aliased
    called = {uri.partition("/functions/")[2].removesuffix("/invocations") for uri in uris}
    assert called >= {f"{function}Aliaslive" for function in FUNCTIONS}
    assert not called & {f"{function}.Arn" for function in aliased}


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
    shifts = {alias: prod.attribute(alias, "UpdatePolicy") for alias in prod.of_type("AWS::Lambda::Alias")}
    asked = [alias for alias, shift in shifts.items() if "BeforeAllowTrafficHook" in json.dumps(shift)]
    versions = {prod.properties(alias)["FunctionVersion"].removesuffix(".Version") for alias in asked}
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


class TestDomain:
    NAME: ClassVar = {"DomainName": "api.shop.example", "HostedZoneId": "Z1"}

    def test_there_is_none_unless_wanted(self, prod: Stage) -> None:
        types = {resource["Type"] for resource in prod.template.resources.values()}
        assert not types & {"AWS::ApiGatewayV2::DomainName", "AWS::Route53::RecordSet"}
        assert endpoint(prod) == {"disableExecuteApiEndpoint": False}

    def test_it_leads_to_the_api_alone_and_closes_its_own_address(self, stage: Make) -> None:
        shop = stage(**PROD, **self.NAME)
        (configuration,) = shop.properties("ApiDomain")["DomainNameConfigurations"]
        assert configuration["CertificateArn"] == "Certificate"
        assert shop.properties("Certificate")["DomainValidationOptions"][0]["HostedZoneId"] == "Z1"
        assert shop.properties("ApiDomainMapping")["Stage"] == "ShopApiApiGatewayDefaultStage"
        assert endpoint(shop) == {"disableExecuteApiEndpoint": True}
        for record, kind in (("DomainRecord", "A"), ("DomainRecordIpv6", "AAAA")):
            properties = shop.properties(record)
            assert (properties["Type"], properties["Name"]) == (kind, "api.shop.example")
            assert properties["AliasTarget"] == {
                "DNSName": "ApiDomain.RegionalDomainName",
                "HostedZoneId": "ApiDomain.RegionalHostedZoneId",
            }

    def test_a_certificate_and_dns_of_ones_own_are_left_alone(self, stage: Make) -> None:
        arn = "arn:aws:acm:us-east-1:123456789012:certificate/mine"
        shop = stage(**PROD, DomainName="api.shop.example", CertificateArn=arn)
        assert "Certificate" not in shop.template.resources
        assert "DomainRecord" not in shop.template.resources
        assert shop.properties("ApiDomain")["DomainNameConfigurations"][0]["CertificateArn"] == arn

    def test_cloudfront_takes_the_name_and_shows_its_certificate_to_the_api(self, everything: Stage) -> None:
        config = everything.properties("Distribution")["DistributionConfig"]
        assert config["Aliases"] == ["api.shop.example"]
        assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
        (origin,) = config["Origins"]
        assert origin["DomainName"] == "ApiDomain.RegionalDomainName"
        # API Gateway finds a domain by the Host header: AllViewer hands it on.
        assert config["DefaultCacheBehavior"]["OriginRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"
        certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1"
        assert origin["CustomOriginConfig"]["OriginMtlsConfig"] == {"ClientCertificateArn": certificate}
        trusted = everything.properties("ApiDomain")["MutualTlsAuthentication"]
        assert trusted == {"TruststoreUri": "s3://authorities/origin.pem"}
        assert everything.properties("DomainRecord")["AliasTarget"]["DNSName"] == "Distribution.DomainName"


class TestEdge:
    def test_there_is_none_unless_wanted(self, prod: Stage) -> None:
        assert "Distribution" not in prod.template.resources
        assert "CloudFrontUrl" not in prod.template.outputs

    def test_the_api_is_its_origin_and_is_never_cached(self, stage: Make) -> None:
        config = stage(**PROD, CloudFront="true").properties("Distribution")["DistributionConfig"]
        assert config["Origins"][0]["DomainName"] == "ShopApi.execute-api.us-east-1.amazonaws.com"
        behavior = config["DefaultCacheBehavior"]
        assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        # API Gateway's own address wants its own name as Host: AllViewerExceptHostHeader.
        assert behavior["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
        # Compress needs a cache policy that caches (CloudFront Developer Guide, "Serve compressed files").
        assert "Compress" not in behavior
        assert "Aliases" not in config
        assert "WebACLId" not in config

    def test_a_web_acl_of_ones_own_is_taken(self, stage: Make) -> None:
        arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/1"
        shop = stage(**PROD, CloudFront="true", WebAclArn=arn)
        assert shop.properties("Distribution")["DistributionConfig"]["WebACLId"] == arn
        assert "ShopWebAcl" not in shop.template.resources

    def test_waf_limits_an_address_and_has_awss_managed_rules(self, everything: Stage) -> None:
        config = everything.properties("Distribution")["DistributionConfig"]
        assert config["WebACLId"] == "ShopWebAcl.Arn"
        limit, *managed = everything.properties("ShopWebAcl")["Rules"]
        assert limit["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "Limit": "1000"}
        assert limit["Action"] == {"Block": {}}
        assert [rule["Statement"]["ManagedRuleGroupStatement"]["Name"] for rule in managed] == [
            "AWSManagedRulesAmazonIpReputationList",
            "AWSManagedRulesKnownBadInputsRuleSet",
            "AWSManagedRulesCommonRuleSet",
        ]
        assert [rule["Priority"] for rule in (limit, *managed)] == [0, 1, 2, 3]

    def test_what_is_blocked_is_logged_without_keys_and_sessions(self, everything: Stage) -> None:
        logging = everything.properties("WebAclLogging")
        assert logging["LogDestinationConfigs"][0].endswith(":log-group:WebAclLogs")
        assert everything.properties("WebAclLogs")["LogGroupName"].startswith("aws-waf-logs-")
        assert logging["RedactedFields"] == [
            {"SingleHeader": {"Name": "x-api-key"}},
            {"UriPath": {}},
            {"QueryString": {}},
        ]
        fields = everything.properties("DistributionLogDelivery")["RecordFields"]
        assert "c-ip" in fields
        assert not [field for field in fields if field.startswith("cs-uri")]


def endpoint(shop: Stage) -> Any:
    (server,) = shop.properties("ShopApi")["Body"]["servers"]
    return server["x-amazon-apigateway-endpoint-configuration"]


class TestRules:
    """What CloudFormation refuses before it makes anything; the rules are read as it reads them."""

    DEFAULTS: ClassVar = {"AWS::Region": "eu-west-1"}

    def refused(self, **parameters: str) -> list[str]:
        document = parse(TEMPLATE, TEMPLATE.read_text())
        values = {name: str(each["Default"]) for name, each in document["Parameters"].items()}
        known = {**self.DEFAULTS, **values, **parameters}

        def holds(condition: Any) -> Any:
            ((function, arguments),) = condition.items()
            match function:
                case "Ref":
                    return known[arguments]
                case "Fn::Equals":
                    left, right = (each if isinstance(each, str) else holds(each) for each in arguments)
                    return left == right
                case "Fn::Not":
                    return not holds(arguments[0])
                case "Fn::And":
                    return all(map(holds, arguments))
                case "Fn::Or":
                    return any(map(holds, arguments))
            raise AssertionError(function)

        return [
            assertion["AssertDescription"]
            for rule in document["Rules"].values()
            if holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not holds(assertion["Assert"])
        ]

    def test_what_belongs_together_is_asked_for_together(self) -> None:
        assert self.refused() == []
        assert self.refused(DomainName="api.shop.example", HostedZoneId="Z1") == []
        (zone,) = self.refused(DomainName="api.shop.example")
        assert zone.startswith("DomainName needs HostedZoneId")
        (origin,) = self.refused(OriginCertificateArn="arn", OriginTruststoreUri="s3://b/k", CloudFront="true")
        assert origin.startswith("OriginCertificateArn needs CloudFront, DomainName")
        (region,) = self.refused(EdgeLogs="true")
        assert region.startswith("What belongs to CloudFront is in us-east-1 alone")
        assert self.refused(**{"EdgeLogs": "true", "WebAcl": "true", "AWS::Region": "us-east-1"}) == []


def test_a_function_is_told_by_name_and_by_arn(prod: Stage) -> None:
    for function in FUNCTIONS:
        assert prod.template.outputs[f"{function}Name"]["Value"] == {"Ref": function}
        assert prod.template.outputs[f"{function}Arn"]["Value"] == {"Fn::GetAtt": [function, "Arn"]}


def test_a_restored_table_takes_the_place_of_the_stacks_which_stays(stage: Make) -> None:
    shop = stage(**PROD, **VPC, VpcRouteTableIds="rtb-1", RestoredTableName="shop-prod-T-20261120T110000Z")
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/shop-prod-T-20261120T110000Z"
    assert "ShopInventory" in shop.template.resources
    for function in FUNCTIONS:
        assert shop.properties(function)["Environment"]["Variables"]["TABLE_NAME"] == "shop-prod-T-20261120T110000Z"
    allowed = [each for _, each in statements(shop) if "dynamodb:" in str(each.get("Action"))]
    assert len(allowed) == 4
    assert {each["Resource"] for each in allowed} == {arn}


def test_a_developers_stack_is_deployed_and_keeps_nothing(stage: Make) -> None:
    shop = stage(Stage="dev-ann")
    assert shop.properties("InventoryFunction")["Environment"]["Variables"]["REQUIRE_API_KEY"] == "true"
    assert shop.attribute("ShopInventory", "DeletionPolicy") == "Delete"


@pytest.mark.parametrize("name", ["dev", "dev-", "production", "Staging", "dev-" + "x" * 21])
def test_no_other_name_is_a_stage(stage: Make, name: str) -> None:
    with pytest.raises(TemplateError):
        stage(Stage=name)
