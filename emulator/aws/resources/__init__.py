"""The CloudFormation resource types of the template: which are created locally, how, and which are not and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.aws.resource_type import Handler
from emulator.aws.resources import dynamodb_table, iam_role, s3_bucket, s3_bucket_policy, secretsmanager_secret

HANDLERS: Final[Mapping[str, Handler]] = {
    handler.type_name: handler
    for handler in (
        dynamodb_table.HANDLER,
        iam_role.HANDLER,
        s3_bucket.HANDLER,
        s3_bucket_policy.HANDLER,
        secretsmanager_secret.HANDLER,
    )
}
