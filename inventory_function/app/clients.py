"""Clients of the AWS services, made at the first use and shared by the execution environment.

botocore's session is used directly: it gives the same clients as `boto3.client` without importing boto3, its
resources and s3transfer, which is about 60 ms off the first request that needs AWS. Endpoints, region and credentials
come from the environment (AWS_ENDPOINT_URL, AWS_REGION, ...), as in every AWS SDK.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 2.5

_clients: dict[str, Any] = {}
_lock = threading.Lock()


def dynamodb() -> DynamoDBClient:
    """Return the DynamoDB client."""
    client: DynamoDBClient = _client("dynamodb")
    return client


def s3() -> S3Client:
    """Return the S3 client; it signs with version 4, which presigned URLs need in every region."""
    client: S3Client = _client("s3")
    return client


def secretsmanager() -> SecretsManagerClient:
    """Return the Secrets Manager client."""
    client: SecretsManagerClient = _client("secretsmanager")
    return client


def forget() -> None:
    """Close and drop every client, so that the next use reads the environment again."""
    with _lock:
        for client in _clients.values():
            client.close()
        _clients.clear()


def _client(service: str) -> Any:
    client = _clients.get(service)
    if client is None:
        # Making a client is not thread-safe in botocore, using one is.
        with _lock:
            client = _clients.get(service)
            if client is None:
                client = _clients[service] = _make(service)
    return client


def _make(service: str) -> Any:
    from botocore.config import Config
    from botocore.session import Session

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        # app.retries repeats calls, because it knows which may run twice and how much time is left; botocore would
        # also repeat an adjustment whose answer was lost, and count it twice.
        retries={"mode": "standard", "total_max_attempts": 1},
        signature_version="s3v4" if service == "s3" else None,
        response_checksum_validation="when_required",
        tcp_keepalive=True,
    )
    return Session().create_client(service, config=config)
