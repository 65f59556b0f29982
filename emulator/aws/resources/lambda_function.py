"""AWS::Lambda::Function.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Function"; AWS Lambda API Reference, "GetFunction".
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_DESCRIBED_AS_DECLARED: Final = (
    *("Architectures", "Description", "FunctionName", "Handler", "LoggingConfig", "MemorySize", "PackageType", "Role"),
    *("Runtime", "SnapStart", "Timeout", "TracingConfig", "VpcConfig"),
)


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    """Its code is what it should be when the digests are equal."""
    found = clients.named("lambda").get_function(FunctionName=name)
    configuration = found["Configuration"]
    code = declared.get("Code", {})
    return {
        **{key: configuration.get(key) for key in _DESCRIBED_AS_DECLARED},
        "Code": code if _is_code(clients, code, configuration["CodeSha256"]) else None,
        "DeadLetterConfig": configuration.get("DeadLetterConfig"),
        "Environment": {"Variables": configuration.get("Environment", {}).get("Variables", {})},
        "EphemeralStorage": configuration.get("EphemeralStorage"),
        "KmsKeyArn": configuration.get("KMSKeyArn"),
        "Layers": [layer["Arn"] for layer in configuration.get("Layers", [])],
        "ReservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "Tags": [{"Key": key, "Value": value} for key, value in found.get("Tags", {}).items()],
    }


def _is_code(clients: Clients, code: Mapping[str, Any], digest: str) -> bool:
    if "S3Bucket" not in code:
        return False
    body: Any = clients.s3.get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"]
    return base64.b64encode(hashlib.sha256(body.read()).digest()).decode() == digest


RESOURCE: Final = ResourceType(
    "AWS::Lambda::Function",
    read=_read,
    made_by="the engine",
    attributes={"Arn": "arn:aws:lambda:{region}:{account}:function:{ref}"},
    name_property="FunctionName",
    name_length=64,
)
