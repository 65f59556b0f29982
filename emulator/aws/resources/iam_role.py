"""AWS::IAM::Role.

Source: AWS CloudFormation Template Reference, "AWS::IAM::Role"; AWS Identity and Access Management API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import LOOKED_UP, Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, PropertyError, Schema, document_text

PROPERTIES: Final[Mapping[str, Schema]] = {
    "AssumeRolePolicyDocument": Kind.DOCUMENT,
    "Description": Kind.TEXT,
    "ManagedPolicyArns": [Kind.TEXT],
    "MaxSessionDuration": Kind.WHOLE,
    "Path": Kind.TEXT,
    "PermissionsBoundary": Kind.TEXT,
    "Policies": [{"PolicyDocument": Kind.DOCUMENT, "PolicyName": Kind.TEXT}],
    "RoleName": Kind.TEXT,
    "Tags": TAGS,
}
_DESCRIBED_AS_DECLARED: Final = ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "RoleName")
# Managed policies that MiniStack does not have. It lets them be attached and finds nothing in them, which is right for
# these: they allow calls of services that no backing service emulates. Any other is refused, lest its permissions go
# missing.
ALLOW_NOTHING_LOCALLY: Final[Mapping[str, str]] = {
    "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess": "X-Ray is not emulated",
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess": "X-Ray is not emulated",
    "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda": "CodeDeploy is not emulated",
    "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited": "CodeDeploy is not emulated",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaMSKExecutionRole": "nothing is read from Kafka",
}


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the role, or bring the one that exists to what is declared. `Ref` gives its name."""
    managed = properties.get("ManagedPolicyArns", [])
    for arn in managed:
        _require_known(clients, arn)
    trust = document_text(properties["AssumeRolePolicyDocument"])
    settings = {key: properties[key] for key in ("Description", "MaxSessionDuration") if key in properties}
    placed = {key: properties[key] for key in ("Path", "PermissionsBoundary") if key in properties}
    tags = properties.get("Tags", [])
    request: Any = {**settings, **placed, "Tags": tags}
    is_new = True
    try:
        clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **request)
    except clients.iam.exceptions.EntityAlreadyExistsException:
        is_new = False
        role = clients.iam.get_role(RoleName=name)["Role"]
        clients.iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        if role["Path"] != properties.get("Path", "/"):
            sentence = "Path differs from the role that exists; stop the emulator and start it again"
            raise PropertyError(sentence) from None
        if settings:
            clients.iam.update_role(RoleName=name, **settings)
        _set_boundary(clients, name, properties.get("PermissionsBoundary"))
        _set_tags(clients, name, tags)
    _set_inline_policies(clients, name, properties.get("Policies", []), is_new=is_new)
    _set_managed_policies(clients, name, managed, is_new=is_new)
    return name


def _read(clients: Clients, name: str, _: Properties) -> Properties:
    iam: Any = clients.iam
    role = iam.get_role(RoleName=name)["Role"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = {one: iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in inline}
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {
        **{key: role.get(key) for key in _DESCRIBED_AS_DECLARED},
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "Policies": [{"PolicyName": one, "PolicyDocument": document} for one, document in documents.items()],
        "Tags": iam.list_role_tags(RoleName=name)["Tags"],
    }


def _look_up(clients: Clients, name: str) -> Mapping[str, str]:
    role = clients.iam.get_role(RoleName=name)["Role"]
    return {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _set_inline_policies(clients: Clients, role: str, declared: list[Mapping[str, Any]], *, is_new: bool) -> None:
    names = {policy["PolicyName"] for policy in declared}
    for name in [] if is_new else clients.iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if name not in names:
            clients.iam.delete_role_policy(RoleName=role, PolicyName=name)
    for policy in declared:
        clients.iam.put_role_policy(
            RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=document_text(policy["PolicyDocument"])
        )


def _set_managed_policies(clients: Clients, role: str, declared: list[str], *, is_new: bool) -> None:
    attached = [] if is_new else clients.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    present = {policy["PolicyArn"] for policy in attached}
    for arn in sorted(present - set(declared)):
        clients.iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    for arn in declared:
        if arn not in present:
            clients.iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _set_boundary(clients: Clients, role: str, declared: str | None) -> None:
    if declared is not None:
        clients.iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=declared)
    elif "PermissionsBoundary" in clients.iam.get_role(RoleName=role)["Role"]:
        clients.iam.delete_role_permissions_boundary(RoleName=role)


def _set_tags(clients: Clients, role: str, declared: list[Any]) -> None:
    present = {tag["Key"] for tag in clients.iam.list_role_tags(RoleName=role)["Tags"]}
    stale = sorted(present - {tag["Key"] for tag in declared})
    if stale:
        clients.iam.untag_role(RoleName=role, TagKeys=stale)
    if declared:
        clients.iam.tag_role(RoleName=role, Tags=declared)


def _require_known(clients: Clients, arn: str) -> None:
    if arn in ALLOW_NOTHING_LOCALLY:
        return
    try:
        clients.iam.get_policy(PolicyArn=arn)
    except clients.iam.exceptions.NoSuchEntityException:
        raise PropertyError(f"ManagedPolicyArns names {arn}, whose permissions the emulator does not know") from None


RESOURCE: Final = ResourceType(
    "AWS::IAM::Role",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Arn": LOOKED_UP, "RoleId": LOOKED_UP},
    look_up=_look_up,
    name_property="RoleName",
    name_length=64,
)
