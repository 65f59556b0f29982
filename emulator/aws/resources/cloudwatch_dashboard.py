"""AWS::CloudWatch::Dashboard.

Source: AWS CloudFormation Template Reference, "AWS::CloudWatch::Dashboard"; Amazon CloudWatch API Reference,
"GetDashboard".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    found = clients.named("cloudwatch").get_dashboard(DashboardName=name)
    return {"DashboardBody": found["DashboardBody"], "DashboardName": found["DashboardName"]}


RESOURCE: Final = ResourceType(
    "AWS::CloudWatch::Dashboard",
    read=_read,
    missing="nothing watches a laptop: no alarm rings",
    name_property="DashboardName",
)
