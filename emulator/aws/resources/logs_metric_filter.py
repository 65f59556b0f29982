"""AWS::Logs::MetricFilter.

Source: AWS CloudFormation Template Reference, "AWS::Logs::MetricFilter"; Amazon CloudWatch Logs API Reference,
"DescribeMetricFilters".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    group = declared["LogGroupName"]
    filters = clients.named("logs").describe_metric_filters(logGroupName=group)["metricFilters"]
    found: Mapping[str, Any] = next((one for one in filters if one["filterName"] == name), {})
    return {
        "FilterName": found.get("filterName"),
        "FilterPattern": found.get("filterPattern"),
        "LogGroupName": found.get("logGroupName"),
        "MetricTransformations": [
            {key[0].upper() + key[1:]: value for key, value in each.items()}
            for each in found.get("metricTransformations", [])
        ],
    }


RESOURCE: Final = ResourceType(
    "AWS::Logs::MetricFilter",
    read=_read,
    missing="nothing is counted in a log",
    name_property="FilterName",
)
