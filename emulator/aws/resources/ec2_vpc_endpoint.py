"""AWS::EC2::VPCEndpoint.

Source: AWS CloudFormation Template Reference, "AWS::EC2::VPCEndpoint"; Amazon EC2 API Reference,
"DescribeVpcEndpoints".
"""

from __future__ import annotations

from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_DESCRIBED_AS_DECLARED: Final = (
    *("PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "ServiceName", "SubnetIds", "Tags", "VpcEndpointType"),
    "VpcId",
)


def _read(clients: Clients, endpoint_id: str, _: Properties) -> Properties:
    found = clients.named("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]
    groups = [group["GroupId"] for group in found.get("Groups", [])]
    return {**{key: found.get(key) for key in _DESCRIBED_AS_DECLARED}, "SecurityGroupIds": groups}


RESOURCE: Final = ResourceType(
    "AWS::EC2::VPCEndpoint",
    read=_read,
    missing="everything answers on the loopback interface",
    ref="vpce-{id}",
    attributes={"Id": "{ref}"},
)
