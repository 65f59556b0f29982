"""The CloudFormation resource types of the template: which are created locally, how, and which are not and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.resources import bucket, bucket_policy, role, secret, table
from emulator.aws.resources.handler import Handler

HANDLERS: Final[Mapping[str, Handler]] = {
    handler.type_name: handler
    for handler in (table.HANDLER, bucket.HANDLER, bucket_policy.HANDLER, secret.HANDLER, role.HANDLER)
}
