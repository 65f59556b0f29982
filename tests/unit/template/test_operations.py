"""Logs, alarms and the dashboard: what whoever is on call has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.template.conftest import PROD, SHOPS_FUNCTIONS, Stage


def test_each_function_of_the_shop_logs_json_into_a_group_of_its_own(prod: Stage) -> None:
    functions = [prod.properties(name) for name in SHOPS_FUNCTIONS]
    groups = [function["LoggingConfig"]["LogGroup"] for function in functions]
    assert len(set(groups)) == len(functions)
    assert all(function["LoggingConfig"]["LogFormat"] == "JSON" for function in functions)


def test_no_log_is_kept_for_ever(everything: Stage) -> None:
    groups = everything.of_type("AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] == "30" for group in groups.values())


def test_the_stage_of_the_api_logs_and_throttles(prod: Stage) -> None:
    (stage,) = prod.of_type("AWS::ApiGatewayV2::Stage").values()
    assert set(json.loads(stage["AccessLogSettings"]["Format"])) >= {"requestId", "routeKey", "status", "latency"}
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == "200"
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == "400"


def test_the_access_log_takes_no_room_in_the_resource_policy_of_the_account(prod: Stage) -> None:
    """Amazon CloudWatch Logs User Guide, "Log group resource policy size limit considerations"."""
    assert prod.properties("ShopApiAccessLogs")["LogGroupName"].startswith("/aws/vendedlogs/")


def test_every_alarm_tells_the_topic_and_says_what_to_do(prod: Stage) -> None:
    alarms = prod.of_type("AWS::CloudWatch::Alarm")
    assert len(alarms) == 16
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["AlarmTopic"], name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert len(re.findall(r"[.;:]( |$)", alarm["AlarmDescription"])) >= 2, name


@pytest.mark.parametrize(
    ("namespace", "metrics"),
    [
        ("AWS/Lambda", {"Errors", "Throttles", "Duration"}),
        ("AWS/ApiGateway", {"5xx"}),
        ("AWS/DynamoDB", {"ReadThrottleEvents", "WriteThrottleEvents"}),
        ("ShopOnSam/stack", {"ClaudeFailures", "Failures", "TokensOut", "ThrottledRequests"}),
    ],
)
def test_what_is_watched(prod: Stage, namespace: str, metrics: set[str]) -> None:
    alarms = prod.of_type("AWS::CloudWatch::Alarm").values()
    assert {alarm["MetricName"] for alarm in alarms if alarm["Namespace"] == namespace} == metrics


def test_the_own_metric_is_watched_where_the_shopbot_counts_it(prod: Stage) -> None:
    variables = prod.properties("ShopbotFunction")["Environment"]["Variables"]
    alarm = prod.properties("ClaudeFailuresAlarm")
    assert alarm["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]


def test_the_dashboard_shows_every_standing_alarm(prod: Stage) -> None:
    (dashboard,) = prod.of_type("AWS::CloudWatch::Dashboard").values()
    alarms, *graphs = json.loads(dashboard["DashboardBody"])["widgets"]
    standing = {name for name in prod.of_type("AWS::CloudWatch::Alarm") if "NewVersion" not in name}
    assert set(alarms["properties"]["alarms"]) == {f"{name}.Arn" for name in standing}
    assert len(graphs) == 9
    assert all(graph["properties"]["metrics"] for graph in graphs)


def test_a_page_may_follow_the_link_to_a_large_file_as_it_may_read_the_api(stage: Any) -> None:
    shop = stage(**PROD, CorsAllowedOrigin="https://shop.example")
    (rule,) = shop.properties("DataBucket")["CorsConfiguration"]["CorsRules"]

    # A browser sends the origin null after a redirect between two foreign origins.
    assert rule["AllowedOrigins"] == ["https://shop.example", "null"]
    assert rule["AllowedMethods"] == ["GET", "HEAD"]
    assert rule["AllowedHeaders"] == ["*"]
    exposed = set(shop.properties("ShopApi")["Body"]["x-amazon-apigateway-cors"]["exposeHeaders"])
    assert set(rule["ExposedHeaders"]) == exposed - {"location", "retry-after"}


def test_what_the_api_throttles_is_counted_in_its_log(prod: Stage) -> None:
    found = prod.properties("ThrottledRequests")
    (counted,) = found["MetricTransformations"]
    alarm = prod.properties("ThrottledRequestsAlarm")
    assert found["LogGroupName"] == "ShopApiAccessLogs"
    assert (counted["MetricNamespace"], counted["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    assert (
        '"status":"$context.status"' in prod.properties("ShopApiApiGatewayDefaultStage")["AccessLogSettings"]["Format"]
    )
    assert found["FilterPattern"] == '{ $.status = "429" }'


def test_a_budget_and_a_check_from_outside_are_options(prod: Stage, everything: Stage) -> None:
    options = {"StageBudget", "CostAnomalyMonitor", "CostAnomalySubscription", "SyntheticCheckFunction"}
    assert not options & set(prod.template.resources)
    assert options <= set(everything.template.resources)
    budget = everything.properties("StageBudget")["Budget"]
    assert budget["BudgetLimit"] == {"Amount": "100", "Unit": "USD"}
    assert budget["CostFilters"] == {"TagKeyValue": ["user:Stage$prod"]}
    monitor = json.loads(everything.properties("CostAnomalyMonitor")["MonitorSpecification"])
    assert monitor["Tags"]["Values"] == ["prod"]
    threshold = json.loads(everything.properties("CostAnomalySubscription")["ThresholdExpression"])
    assert threshold["Dimensions"]["Values"] == ["10"]


def test_the_check_from_outside_asks_the_address_that_callers_use(
    everything: Stage, stage: Callable[..., Stage]
) -> None:
    def url(shop: Stage) -> str:
        return str(shop.properties("SyntheticCheckFunction")["Environment"]["Variables"]["API_URL"])

    assert url(everything) == "https://api.shop.example"
    assert url(stage(SyntheticCheck="true")) == "ShopApi.ApiEndpoint"
    schedule = everything.of_type("AWS::Events::Rule")["SyntheticCheckFunctionEveryFiveMinutes"]
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert everything.properties("SyntheticCheckErrorsAlarm")["EvaluationPeriods"] == 2


def test_a_key_of_ones_own_encrypts_all_that_is_kept(prod: Stage, everything: Stage) -> None:
    assert "ShopKey" not in prod.template.resources
    assert all("KmsKeyId" not in group for group in prod.of_type("AWS::Logs::LogGroup").values())
    kept = {
        *(group["KmsKeyId"] for group in everything.of_type("AWS::Logs::LogGroup").values()),
        *(secret["KmsKeyId"] for secret in everything.of_type("AWS::SecretsManager::Secret").values()),
    }
    assert kept == {"ShopKey.Arn"}
    assert everything.properties("AlarmTopic")["KmsMasterKeyId"] == "ShopKey"
    assert everything.properties("ShopInventory")["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": "ShopKey",
    }
    (rule,) = everything.properties("DataBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "ShopKey.Arn"}
    assert rule["BucketKeyEnabled"] is True


def test_the_key_serves_the_account_and_two_services_alone(everything: Stage) -> None:
    statements = {each["Sid"]: each for each in everything.properties("ShopKey")["KeyPolicy"]["Statement"]}
    assert statements["Data"]["Condition"]["StringEquals"]["kms:CallerAccount"] == "000000000000"
    assert all("Condition" in each for sid, each in statements.items() if sid != "AccountDecides")
    assert everything.properties("ShopKey")["EnableKeyRotation"] is True
