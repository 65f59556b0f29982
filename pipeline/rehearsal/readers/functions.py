"""The functions, their versions, aliases and permissions, and their roles.

Source: AWS Lambda API Reference, "GetFunction", "GetAlias" and "GetPolicy"; AWS Identity and Access Management API
Reference, "GetRole" and "GetRolePolicy".
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipeline.rehearsal.services import Services


def function(services: Services, name: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::Lambda::Function; its code is what it should be when the digests are equal."""
    found = services.named("lambda").get_function(FunctionName=name)
    configuration = found["Configuration"]
    environment = configuration.get("Environment", {}).get("Variables", {})
    as_declared = ("Architectures", "Description", "Handler", "LoggingConfig", "MemorySize", "Role", "Runtime")
    return {
        **{key: configuration.get(key) for key in (*as_declared, "SnapStart", "Timeout", "TracingConfig", "VpcConfig")},
        "Code": declared["Code"] if _is_code(services, declared["Code"], configuration["CodeSha256"]) else None,
        "Environment": {"Variables": environment},
        "ReservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "Tags": [{"Key": key, "Value": value} for key, value in found.get("Tags", {}).items()],
    }


def version(services: Services, arn: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::Lambda::Version."""
    configuration = services.named("lambda").get_function_configuration(FunctionName=arn)
    published = configuration["Version"] != "$LATEST"
    return {"FunctionName": configuration["FunctionName"] if published else None}


def alias(services: Services, arn: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::Lambda::Alias."""
    name = declared["FunctionName"]
    found = services.named("lambda").get_alias(FunctionName=name, Name=arn.rpartition(":")[2])
    return {"FunctionName": name, "FunctionVersion": found["FunctionVersion"], "Name": found["Name"]}


def permission(services: Services, sid: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::Lambda::Permission: the statement `sid` of the function's policy."""
    name, _, qualifier = _unqualified(declared["FunctionName"])
    asked = {"FunctionName": name} | ({"Qualifier": qualifier} if qualifier else {})
    statements = json.loads(services.named("lambda").get_policy(**asked)["Policy"])["Statement"]
    statement: Mapping[str, Any] = next((one for one in statements if one["Sid"] == sid), {})
    principal = statement.get("Principal")
    is_here = statement.get("Resource") == declared["FunctionName"]
    return {
        "Action": statement.get("Action"),
        "FunctionName": declared["FunctionName"] if is_here else statement.get("Resource"),
        "Principal": principal.get("Service") if isinstance(principal, dict) else principal,
        "SourceArn": statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn"),
    }


def role(services: Services, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of an AWS::IAM::Role."""
    iam: Any = services.iam
    described = iam.get_role(RoleName=name)["Role"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "AssumeRolePolicyDocument": described["AssumeRolePolicyDocument"],
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        "Policies": [
            {
                "PolicyName": policy,
                "PolicyDocument": iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"],
            }
            for policy in inline
        ],
        "Tags": iam.list_role_tags(RoleName=name)["Tags"],
    }


def _is_code(services: Services, code: Mapping[str, str], digest: str) -> bool:
    uploaded = services.artifact(code["S3Bucket"], code["S3Key"])
    return base64.b64encode(hashlib.sha256(uploaded).digest()).decode() == digest


def _unqualified(function_arn: str) -> tuple[str, str, str]:
    """Return the name and the qualifier of a function's ARN (or of its name)."""
    return function_arn.rpartition(":function:")[2].partition(":")
