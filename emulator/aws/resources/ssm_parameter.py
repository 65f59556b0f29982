"""AWS::SSM::Parameter.

Source: AWS CloudFormation Template Reference, "AWS::SSM::Parameter"; AWS Systems Manager API Reference, "PutParameter",
"GetParameter" and "DescribeParameters".

Policies have no mapping: MiniStack answers them in a form that no client reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import LOOKED_UP, Properties, ResourceType
from emulator.aws.schema import Kind, Schema, tag_list, tag_mapping

PROPERTIES: Final[Mapping[str, Schema]] = {
    "AllowedPattern": Kind.TEXT,
    "DataType": Kind.TEXT,
    "Description": Kind.TEXT,
    "Name": Kind.TEXT,
    "Tags": Kind.DOCUMENT,  # a mapping, here alone
    "Tier": Kind.TEXT,
    "Type": Kind.TEXT,
    "Value": Kind.TEXT,
}
_RESOURCE: Final = "Parameter"


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Put the parameter. `Ref` gives its name."""
    ssm = clients.named("ssm")
    request = {key: value for key, value in properties.items() if key != "Tags"}
    ssm.put_parameter(**{**request, "Name": name}, Overwrite=True)
    if properties.get("Tags"):
        ssm.add_tags_to_resource(ResourceType=_RESOURCE, ResourceId=name, Tags=tag_list(properties["Tags"]))
    return name


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    ssm = clients.named("ssm")
    described = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])["Parameters"][0]
    tags = ssm.list_tags_for_resource(ResourceType=_RESOURCE, ResourceId=name)["TagList"]
    policies = [policy["PolicyText"] for policy in described.get("Policies", [])]
    return {
        **{key: described.get(key) for key in ("AllowedPattern", "DataType", "Description", "Name", "Tier", "Type")},
        "Policies": f"[{','.join(policies)}]" if policies else None,
        "Tags": tag_mapping(tags),
        "Value": ssm.get_parameter(Name=name)["Parameter"]["Value"],
    }


def _look_up(clients: Clients, name: str) -> Mapping[str, str]:
    parameter = clients.named("ssm").get_parameter(Name=name)["Parameter"]
    return {"Type": parameter["Type"], "Value": parameter["Value"]}


RESOURCE: Final = ResourceType(
    "AWS::SSM::Parameter",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Type": LOOKED_UP, "Value": LOOKED_UP},
    look_up=_look_up,
    name_property="Name",
)
