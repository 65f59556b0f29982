"""The security groups, the endpoints of the VPC, and the CloudFront distribution.

Source: Amazon EC2 API Reference, "DescribeSecurityGroups" and "DescribeVpcEndpoints"; Amazon CloudFront API Reference,
"GetDistributionConfig".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.rehearsal.services import Services

_RENAMED: Final = {"IsIPV6Enabled": "IPV6Enabled", "OriginSslProtocols": "OriginSSLProtocols"}
"""What CloudFront's API calls otherwise than CloudFormation."""


def security_group(services: Services, group_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::EC2::SecurityGroup."""
    found = services.named("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    return {
        "GroupDescription": found["Description"],
        "SecurityGroupEgress": list(_rules(found["IpPermissionsEgress"], "DestinationSecurityGroupId")),
        "SecurityGroupIngress": list(_rules(found["IpPermissions"], "SourceSecurityGroupId")),
        "Tags": found.get("Tags"),
        "VpcId": found["VpcId"],
    }


def vpc_endpoint(services: Services, endpoint_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::EC2::VPCEndpoint."""
    found = services.named("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]
    as_declared = ("PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "ServiceName", "SubnetIds", "Tags", "VpcId")
    return {
        **{key: found.get(key) for key in (*as_declared, "VpcEndpointType")},
        "SecurityGroupIds": [group["GroupId"] for group in found.get("Groups", [])],
    }


def distribution(services: Services, distribution_id: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::CloudFront::Distribution."""
    cloudfront = services.named("cloudfront")
    found = cloudfront.get_distribution(Id=distribution_id)["Distribution"]
    tags = cloudfront.list_tags_for_resource(Resource=found["ARN"])["Tags"]
    return {"DistributionConfig": _unwrapped(found["DistributionConfig"]), "Tags": tags["Items"]}


def _rules(permissions: list[Mapping[str, Any]], group: str) -> Iterator[dict[str, Any]]:
    """Yield the rules of a security group one by one; EC2 gathers those of one port."""
    for permission in permissions:
        common = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for kind, name, target in (("IpRanges", "CidrIp", "CidrIp"), ("UserIdGroupPairs", "GroupId", group)):
            for one in permission.get(kind, []):
                described = {"Description": one["Description"]} if "Description" in one else {}
                yield {**common, target: one[name], **described}


def _unwrapped(value: Any) -> Any:
    """Return CloudFront's lists, each an object with its Quantity and Items, as lists."""
    if isinstance(value, list):
        return [_unwrapped(member) for member in value]
    if not isinstance(value, Mapping):
        return value
    if "Quantity" in value:
        return _unwrapped(value.get("Items", []))
    return {_RENAMED.get(name, name): _unwrapped(member) for name, member in value.items()}
