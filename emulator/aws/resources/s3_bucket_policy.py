"""AWS::S3::BucketPolicy.

Source: AWS CloudFormation Template Reference, "AWS::S3::BucketPolicy"; Amazon S3 API Reference, "PutBucketPolicy".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Created, Handler
from emulator.aws.schema import Kind, Schema

PROPERTIES: Final[Mapping[str, Schema]] = {"Bucket": Kind.TEXT, "PolicyDocument": Kind.DOCUMENT}


def _create(clients: Clients, _name: str, properties: Mapping[str, Any]) -> Created:
    """Put the policy on its bucket. `Ref` gives the bucket's name."""
    document = properties["PolicyDocument"]
    text = document if isinstance(document, str) else json.dumps(document)
    clients.s3.put_bucket_policy(Bucket=properties["Bucket"], Policy=text)
    return Created(properties["Bucket"])


HANDLER: Final = Handler("AWS::S3::BucketPolicy", PROPERTIES, frozenset(), _create)
