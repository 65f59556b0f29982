"""boto3 clients of the local endpoint, made on first use and shared between threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from emulator.credentials import Endpoint, RootCredentials
from sam_template.repository import REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient


_session_lock: Final = threading.Lock()  # boto3 sessions are not for several threads at once; their clients are


NOWHERE: Final = "http://127.0.0.1:9"
"""The URL of functions that cannot be invoked: port 9 is that of discard, and nobody listens."""


class Clients:
    """The clients with which the root of the local account acts. Nothing of the caller's AWS configuration is read.

    `named("lambda")` returns the client of a service; those that have stubs here have a property. `functions_url` is
    where the functions of the template can be invoked: see `emulator/aws/resources/lambda_function.py`.
    """

    def __init__(self, endpoint: Endpoint, region: str, functions_url: str = NOWHERE) -> None:
        self.endpoint = endpoint
        self.endpoint_url = endpoint.url
        self.region = region
        self.functions_url = functions_url
        self.named = cache(self._client)

    @property
    def dynamodb(self) -> DynamoDBClient:
        """The tables."""
        client: DynamoDBClient = self.named("dynamodb")
        return client

    @property
    def iam(self) -> IAMClient:
        """The roles."""
        client: IAMClient = self.named("iam")
        return client

    @property
    def s3(self) -> S3Client:
        """The buckets."""
        client: S3Client = self.named("s3")
        return client

    @property
    def secretsmanager(self) -> SecretsManagerClient:
        """The secrets."""
        client: SecretsManagerClient = self.named("secretsmanager")
        return client

    @property
    def sts(self) -> STSClient:
        """The sessions of roles."""
        client: STSClient = self.named("sts")
        return client

    @cached_property
    def sessions(self) -> STSClient:
        """The sessions of roles, for the emulator itself: past the proxy and its faults, and without a second try."""
        endpoint = replace(self.endpoint, url=self.endpoint.admin_url or self.endpoint.url)
        client: STSClient = _client("sts", endpoint, self.region, read_timeout=5, attempts=1)
        return client

    def _client(self, service: str) -> Any:
        return _client(service, self.endpoint, self.region)


def preload(services: Iterable[str]) -> None:
    """Read what the clients of `services` need, most of a second's work that can be done while the endpoint starts."""
    for service in services:
        _client(service, Endpoint("http://127.0.0.1", RootCredentials("", "")), REGION)


def _client(service: str, endpoint: Endpoint, region: str, *, read_timeout: int = 30, attempts: int = 3) -> Any:
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=read_timeout, retries={"total_max_attempts": attempts})
    with _session_lock:
        return _session().client(
            service,
            region,
            endpoint_url=endpoint.url,
            config=config,
            aws_access_key_id=endpoint.root.access_key_id,
            aws_secret_access_key=endpoint.root.secret_access_key,
        )


@cache
def _session() -> Any:
    """Return one session for all clients: it keeps the services' descriptions once they are read."""
    import botocore.session
    from boto3.session import Session

    # Without these, a profile that is named in the environment and gone would end the start.
    bare = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return Session(botocore_session=bare)
