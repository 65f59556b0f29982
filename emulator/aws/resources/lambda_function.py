"""AWS::Lambda::Function: in a local run, a forwarder to the engine.

The endpoint gets a function of the same name whose code hands each event to the engine, where the function itself
runs. So whatever the endpoint delivers reaches it: queues, streams, topics, rules, schedules, buckets, state machines,
Invoke. The forwarder posts to Lambda's own path under the engine's URL and takes what Invoke answers.

Source: AWS CloudFormation Template Reference, "AWS::Lambda::Function"; AWS Lambda API Reference, "CreateFunction",
"GetFunction" and "Invoke".
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType

_FORWARDER: Final = """\
import json
import os
import urllib.request


def handler(event, context):
    body, kind = json.dumps(event).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["FORWARD_TO"], body, kind)
    with urllib.request.urlopen(request, timeout=context.get_remaining_time_in_millis() / 1000) as answer:
        payload = json.loads(answer.read() or b"null")
        failed = answer.headers.get("X-Amz-Function-Error")
    if failed:
        raise type(payload.get("errorType", "Error"), (Exception,), {})(payload.get("errorMessage", ""))
    return payload
"""
_FORWARDER_RUNTIME: Final = "python3.13"
_LONGEST_SECONDS: Final = 900
_MARGIN_SECONDS: Final = 30
"""What a forwarder has more than its function, which may wait for an execution environment."""
_DESCRIBED_AS_DECLARED: Final = (
    *("Architectures", "Description", "FunctionName", "Handler", "LoggingConfig", "MemorySize", "PackageType", "Role"),
    *("Runtime", "SnapStart", "Timeout", "TracingConfig", "VpcConfig"),
)


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Register the forwarder, or set the one that exists to the engine's URL. `Ref` gives the name."""
    functions = clients.named("lambda")
    seconds = min(int(properties.get("Timeout", 3)) + _MARGIN_SECONDS, _LONGEST_SECONDS)
    url = f"{clients.functions_url}/2015-03-31/functions/{name}/invocations"
    settings: dict[str, Any] = {
        "FunctionName": name,
        "Role": properties["Role"],
        "Runtime": _FORWARDER_RUNTIME,
        "Handler": "forwarder.handler",
        "Timeout": seconds,
        "Environment": {"Variables": {"FORWARD_TO": url}},
    }
    for key in ("DeadLetterConfig", "Description"):
        if key in properties:
            settings[key] = properties[key]
    try:
        functions.create_function(**settings, Code={"ZipFile": _package()})
    except functions.exceptions.ResourceConflictException:
        functions.update_function_configuration(**settings)
    return name


def _package() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("forwarder.py"), _FORWARDER)  # of no date: the same bytes each time
    return packed.getvalue()


def _read(clients: Clients, name: str, declared: Properties) -> Properties:
    """Return a deployed function. Its code is what it should be when the digests are equal."""
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
    create=_create,
    read=_read,
    made_by="the engine",
    attributes={"Arn": "arn:aws:lambda:{region}:{account}:function:{ref}"},
    name_property="FunctionName",
    name_length=64,
)
