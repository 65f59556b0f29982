"""Logs, alarms and the dashboard: what whoever is on call has."""

from __future__ import annotations

import json
import re
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
    assert len(alarms) == 14
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
        ("ShopOnSam", {"ClaudeFailures", "Failures"}),
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
