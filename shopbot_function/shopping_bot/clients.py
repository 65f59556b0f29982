"""Clients of the AWS services, made at the first use and shared by the execution environment.

botocore's session gives the same clients as `boto3.client` without importing boto3, its resources and s3transfer,
which is about 60 ms off the first request that needs AWS. Endpoints, region and credentials come from the environment
(AWS_ENDPOINT_URL, AWS_REGION, ...), as in every AWS SDK.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 2.0
# Both services are only read, so a repetition harms nobody.
_ATTEMPTS = 2

_clients: dict[str, Any] = {}
_lock = threading.Lock()


def dynamodb() -> DynamoDBClient:
    """Return the DynamoDB client."""
    client: DynamoDBClient = _client("dynamodb")
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
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        tcp_keepalive=True,
    )
    return Session().create_client(service, config=config)
