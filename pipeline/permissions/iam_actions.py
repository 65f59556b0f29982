"""The IAM actions that authorise an operation of an AWS service.

Source: AWS Service Authorization Reference, "Actions, resources, and condition keys" of each service: an action has the
name of its operation, except for those that are listed here. Amazon DynamoDB Developer Guide, "Using IAM with DynamoDB
transactions": each member of a transaction is authorised as the operation that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel
from botocore.session import Session

_PREFIXES: Final = {"cloudwatch": "cloudwatch"}
"""The name of a service in IAM, where it is not the one that requests are signed for."""
_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "dynamodb:TransactGetItems": ("dynamodb:GetItem",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "lambda:InvokeAsync": ("lambda:InvokeFunction",),
    "lambda:InvokeWithResponseStream": ("lambda:InvokeFunction",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CopyObject": ("s3:GetObject", "s3:PutObject"),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListBuckets": ("s3:ListAllMyBuckets",),
    "s3:ListObjects": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:UploadPart": ("s3:PutObject",),
}
_MEMBERS: Final = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}
_SAID_IN_A_TEXT: Final = frozenset(
    {"dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement", "dynamodb:ExecuteTransaction"}
)


class UnknownActionError(Exception):
    """An operation whose actions cannot be told; the message is a sentence with the reason."""


def client_methods(service: str) -> frozenset[str]:
    """Return the methods of a client of `service` that call an operation: none when botocore knows no such service."""
    try:
        return frozenset(_operations(service))
    except UnknownServiceError:
        return frozenset()


def iam_actions(service: str, method: str, members: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the actions that a call of the client's `method` needs; `members` are those of a transaction.

    Raises UnknownActionError.
    """
    prefix = _PREFIXES.get(service, _model(service).signing_name)
    operation = f"{prefix}:{_operations(service)[method]}"
    if operation == "dynamodb:TransactWriteItems":
        unknown = members - _MEMBERS.keys()
        if unknown or not members:
            raise UnknownActionError(
                'spell out TransactItems as a list of {"Put": ...}, {"Update": ...} where it is called'
            )
        return frozenset(_MEMBERS[member] for member in members)
    if operation in _SAID_IN_A_TEXT:
        raise UnknownActionError("the text of a statement says what it does; call the operation that it stands for")
    return frozenset(_ACTIONS.get(operation, (operation,)))


@cache
def _operations(service: str) -> Mapping[str, str]:
    return {xform_name(name): name for name in _model(service).operation_names}


@cache
def _model(service: str) -> ServiceModel:
    return Session().get_service_model(service)
