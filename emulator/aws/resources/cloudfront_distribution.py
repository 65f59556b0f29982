"""AWS::CloudFront::Distribution.

Source: AWS CloudFormation Template Reference, "AWS::CloudFront::Distribution"; Amazon CloudFront API Reference,
"GetDistribution".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_RENAMED: Final = {"IsIPV6Enabled": "IPV6Enabled", "OriginSslProtocols": "OriginSSLProtocols"}
"""What CloudFront's API calls otherwise than CloudFormation."""


def _read(clients: Clients, distribution_id: str, _: Properties) -> Properties:
    cloudfront = clients.named("cloudfront")
    found = cloudfront.get_distribution(Id=distribution_id)["Distribution"]
    tags = cloudfront.list_tags_for_resource(Resource=found["ARN"])["Tags"]
    return {"DistributionConfig": _unwrapped(found["DistributionConfig"]), "Tags": tags["Items"]}


def _unwrapped(value: Any) -> Any:
    """Return CloudFront's lists, each an object with its Quantity and Items, as lists."""
    if isinstance(value, list):
        return [_unwrapped(member) for member in value]
    if not isinstance(value, Mapping):
        return value
    if "Quantity" in value:
        return _unwrapped(value.get("Items", []))
    return {_RENAMED.get(name, name): _unwrapped(member) for name, member in value.items()}


RESOURCE: Final = ResourceType(
    "AWS::CloudFront::Distribution",
    read=_read,
    missing="requests reach the API itself",
    ref="{id}",
    attributes={"DomainName": "{ref}.cloudfront.net", "Id": "{ref}"},
)
