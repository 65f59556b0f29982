"""Clients of the AWS services, made at the first use and shared by the execution environment.

botocore's session is used directly: it gives the same clients as `boto3.client` without importing boto3, its
resources and s3transfer, which is about 60 ms off the first request that needs AWS. Endpoints, region and credentials
come from the environment (AWS_ENDPOINT_URL, AWS_REGION, ...), as in every AWS SDK.

A call ends after CONNECT_TIMEOUT_SECONDS or READ_TIMEOUT_SECONDS and is tried `max_attempts` times, with botocore's
standard retries. Take 1 for calls that may have had their effect when their answer is lost.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 2.0
USER_AGENT = "shop"
"""Who calls, in CloudTrail and in the access logs of buckets."""

_clients: dict[tuple[str, int], Any] = {}
_lock = threading.Lock()


def dynamodb(max_attempts: int = 1) -> DynamoDBClient:
    """Return the DynamoDB client."""
    client: DynamoDBClient = _client("dynamodb", max_attempts)
    return client


def s3(max_attempts: int = 1) -> S3Client:
    """Return the S3 client.

    Its presigned URLs name the host of its region, signed with version 4: regions that opened since March 2019 answer
    400 at the global host (Amazon S3 User Guide, "Backward compatibility" of "Virtual hosting of general purpose
    buckets"), which is botocore's choice otherwise.
    """
    client: S3Client = _client("s3", max_attempts)
    return client


def secretsmanager(max_attempts: int = 2) -> SecretsManagerClient:
    """Return the Secrets Manager client."""
    client: SecretsManagerClient = _client("secretsmanager", max_attempts)
    return client


def forget() -> None:
    """Close and drop every client, so that the next use reads the environment again."""
    with _lock:
        for client in _clients.values():
            client.close()
        _clients.clear()


def _client(service: str, max_attempts: int) -> Any:
    key = service, max_attempts
    client = _clients.get(key)
    if client is None:
        # Making a client is not thread-safe in botocore, using one is.
        with _lock:
            client = _clients.get(key)
            if client is None:
                client = _clients[key] = _make(service, max_attempts)
    return client


def _make(service: str, max_attempts: int) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": max_attempts},
        signature_version="s3v4" if service == "s3" else None,
        s3={"us_east_1_regional_endpoint": "regional"} if service == "s3" else None,
        response_checksum_validation="when_required",
        tcp_keepalive=True,
        # botocore's own name is put together anew for each call, from fourteen parts: a fifteenth of a call's time.
        user_agent=USER_AGENT,
    )
    client = Session().create_client(service, config=config)
    if service == "s3":
        # First: botocore's own handler reads what this one sets.
        client.meta.events.register_first("before-endpoint-resolution.s3", _use_regional_host)
    return client


def _use_regional_host(context: dict[str, Any], **_: Any) -> None:
    context["use_global_endpoint"] = False
