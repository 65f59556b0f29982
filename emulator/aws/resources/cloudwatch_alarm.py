"""AWS::CloudWatch::Alarm.

Source: AWS CloudFormation Template Reference, "AWS::CloudWatch::Alarm"; Amazon CloudWatch API Reference,
"DescribeAlarms".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_DESCRIBED_AS_DECLARED: Final = (
    *("ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm"),
    *("Dimensions", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics"),
    *("Namespace", "OKActions", "Period", "Statistic", "Threshold", "TreatMissingData", "Unit"),
)


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    alarms = clients.named("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    found: Mapping[str, Any] = alarms[0] if alarms else {}
    return {key: found.get(key) for key in _DESCRIBED_AS_DECLARED}


RESOURCE: Final = ResourceType(
    "AWS::CloudWatch::Alarm",
    read=_read,
    missing="nothing watches a laptop: no alarm rings",
    attributes={"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{ref}"},
    name_property="AlarmName",
)
