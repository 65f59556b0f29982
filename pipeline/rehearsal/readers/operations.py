"""Log groups, alarms, the dashboard and the topic.

Source: Amazon CloudWatch Logs API Reference, "DescribeLogGroups"; Amazon CloudWatch API Reference, "DescribeAlarms" and
"GetDashboard"; Amazon SNS API Reference, "GetTopicAttributes" and "ListSubscriptionsByTopic".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pipeline.rehearsal.services import Services

_ALARM: Final = (
    *("ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm"),
    *("Dimensions", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics"),
    *("Namespace", "OKActions", "Period", "Statistic", "Threshold", "TreatMissingData", "Unit"),
)


def log_group(services: Services, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::Logs::LogGroup."""
    groups = services.named("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group: Mapping[str, Any] = next((one for one in groups if one["logGroupName"] == name), {})
    return {
        "KmsKeyId": group.get("kmsKeyId"),
        "LogGroupClass": group.get("logGroupClass"),
        "LogGroupName": group.get("logGroupName"),
        "RetentionInDays": group.get("retentionInDays"),
    }


def alarm(services: Services, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::CloudWatch::Alarm."""
    alarms = services.named("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    found: Mapping[str, Any] = alarms[0] if alarms else {}
    return {key: found.get(key) for key in _ALARM}


def dashboard(services: Services, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::CloudWatch::Dashboard."""
    found = services.named("cloudwatch").get_dashboard(DashboardName=name)
    return {"DashboardBody": found["DashboardBody"], "DashboardName": found["DashboardName"]}


def topic(services: Services, arn: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::SNS::Topic."""
    sns = services.named("sns")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    return {
        "DisplayName": attributes.get("DisplayName"),
        "KmsMasterKeyId": attributes.get("KmsMasterKeyId"),
        "Tags": sns.list_tags_for_resource(ResourceArn=arn)["Tags"],
    }


def subscription(services: Services, _: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::SNS::Subscription; before it is confirmed, SNS tells no ARN of it."""
    pages = services.named("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=declared["TopicArn"])
    listed = [one for page in pages for one in page["Subscriptions"]]
    found: Mapping[str, Any] = next((one for one in listed if one["Endpoint"] == declared["Endpoint"]), {})
    return {key: found.get(key) for key in ("Endpoint", "Protocol", "TopicArn")}
