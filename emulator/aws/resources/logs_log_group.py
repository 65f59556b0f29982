"""AWS::Logs::LogGroup.

Source: AWS CloudFormation Template Reference, "AWS::Logs::LogGroup"; Amazon CloudWatch Logs API Reference,
"DescribeLogGroups".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    groups = clients.named("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group: Mapping[str, Any] = next((one for one in groups if one["logGroupName"] == name), {})
    return {
        "KmsKeyId": group.get("kmsKeyId"),
        "LogGroupClass": group.get("logGroupClass"),
        "LogGroupName": group.get("logGroupName"),
        "RetentionInDays": group.get("retentionInDays"),
    }


RESOURCE: Final = ResourceType(
    "AWS::Logs::LogGroup",
    read=_read,
    made_by="the terminal",
    attributes={"Arn": "arn:aws:logs:{region}:{account}:log-group:{ref}:*"},
    name_property="LogGroupName",
)
