"""AWS::EC2::SecurityGroup.

Source: AWS CloudFormation Template Reference, "AWS::EC2::SecurityGroup"; Amazon EC2 API Reference,
"DescribeSecurityGroups".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType


def _read(clients: Clients, group_id: str, _: Properties) -> Properties:
    found = clients.named("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    return {
        "GroupDescription": found["Description"],
        "GroupName": found["GroupName"],
        "SecurityGroupEgress": list(_rules(found["IpPermissionsEgress"], "DestinationSecurityGroupId")),
        "SecurityGroupIngress": list(_rules(found["IpPermissions"], "SourceSecurityGroupId")),
        "Tags": found.get("Tags"),
        "VpcId": found["VpcId"],
    }


def _rules(permissions: list[Mapping[str, Any]], group: str) -> Iterator[dict[str, Any]]:
    """Yield the rules of a security group one by one; EC2 gathers those of one port."""
    for permission in permissions:
        common = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for kind, name, target in (("IpRanges", "CidrIp", "CidrIp"), ("UserIdGroupPairs", "GroupId", group)):
            for one in permission.get(kind, []):
                described = {"Description": one["Description"]} if "Description" in one else {}
                yield {**common, target: one[name], **described}


RESOURCE: Final = ResourceType(
    "AWS::EC2::SecurityGroup",
    read=_read,
    missing="everything answers on the loopback interface",
    ref="sg-{id}",
    attributes={"GroupId": "{ref}", "Id": "{ref}", "VpcId": "{VpcId}"},
)
