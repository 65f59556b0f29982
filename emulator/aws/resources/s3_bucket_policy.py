"""AWS::S3::BucketPolicy.

Source: AWS CloudFormation Template Reference, "AWS::S3::BucketPolicy"; Amazon S3 API Reference, "PutBucketPolicy"
and "GetBucketPolicy".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.resources.s3_bucket import if_any
from emulator.aws.schema import Kind, Schema, document_text

PROPERTIES: Final[Mapping[str, Schema]] = {"Bucket": Kind.TEXT, "PolicyDocument": Kind.DOCUMENT}


def _create(clients: Clients, _name: str, properties: Properties) -> str:
    """Put the policy on its bucket. `Ref` gives the bucket's name."""
    clients.s3.put_bucket_policy(Bucket=properties["Bucket"], Policy=document_text(properties["PolicyDocument"]))
    return str(properties["Bucket"])


def _read(clients: Clients, _: str, declared: Properties) -> Properties:
    """Return the policy where it says that it is, or nothing."""
    name = declared["Bucket"]
    policy = if_any(lambda: clients.s3.get_bucket_policy(Bucket=name)["Policy"])
    return {"Bucket": name if policy else None, "PolicyDocument": policy}


RESOURCE: Final = ResourceType("AWS::S3::BucketPolicy", PROPERTIES, create=_create, read=_read)
