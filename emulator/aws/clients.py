"""botocore's clients of the local endpoint, made on first use and shared between threads."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from emulator.credentials import Endpoint, RoleCredentials

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

    from emulator.aws.service_models import ServiceModels

_session_lock: Final = threading.Lock()  # sessions are not for several threads at once; their clients are
_LEFT_OUT: Final = ("awscrt", "urllib3.contrib.pyopenssl")
"""What botocore imports where it is installed, for signatures of version 4A and for older TLS. The emulator needs
neither, and together they take half as long as botocore itself."""

_TELLS_ITS_ADDRESS: Final = ("sqs",)
"""The services that answer with the address that they were asked at, for others to use: a queue's URL."""
NOWHERE: Final = "http://127.0.0.1:9"
"""The URL of functions that cannot be invoked: port 9 is that of discard, and nobody listens."""


class Clients:
    """The clients of the local account's root, or of a `role`. Nothing of the caller's AWS configuration is read.

    `named("lambda")` returns the client of a service; those that have stubs here have a property. `functions_url` is
    where the functions of the template can be invoked: see `emulator/aws/resources/lambda_function.py`.
    Those for the emulator itself are `direct`: they go past the proxy and its faults.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        region: str,
        functions_url: str = NOWHERE,
        role: RoleCredentials | None = None,
        *,
        direct: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self._is_direct = direct
        self.endpoint_url = endpoint.url
        self.region = region
        self.functions_url = functions_url
        self._role = role
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
        client: STSClient = _client("sts", self._behind_the_proxy, self.region, read_timeout=5, attempts=1)
        return client

    @property
    def _behind_the_proxy(self) -> Endpoint:
        return replace(self.endpoint, url=self.endpoint.admin_url or self.endpoint.url)

    def _client(self, service: str) -> Any:
        is_direct = self._is_direct and service not in _TELLS_ITS_ADDRESS
        endpoint = self._behind_the_proxy if is_direct else self.endpoint
        return _client(service, endpoint, self.region, role=self._role)


def preload(services: Iterable[str], kept: Path) -> None:
    """Read what the clients of `services` need: work that can be done while the endpoint starts.

    `kept` is the folder in which the models of services are kept for the next start.
    """
    with _session_lock:
        session = _session()  # first: see _LEFT_OUT
        models = _service_models(kept)
        session.register_component("data_loader", models)
    for service in services:
        with _session_lock:
            models.preload(service)


def _client(
    service: str,
    endpoint: Endpoint,
    region: str,
    *,
    role: RoleCredentials | None = None,
    read_timeout: int = 30,
    attempts: int = 3,
) -> Any:
    credentials = role or endpoint.root
    with _session_lock:
        session = _session()
        from botocore.config import Config

        config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            retries={"total_max_attempts": attempts},
            user_agent="sam-emulator",  # botocore's own is made anew for each request, of thirty parts
        )
        return session.create_client(
            service,
            region,
            endpoint_url=endpoint.url,
            config=config,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=role.session_token if role else None,
        )


@cache
def _session() -> Any:
    """Return one session for all clients: it keeps the services' descriptions once they are read."""
    with _absent(*_LEFT_OUT):
        import botocore.client  # what a session imports with its first client
        import botocore.session

    # Without these, a profile that is named in the environment and gone would end the start.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session.register_component("data_loader", _service_models(None))
    return session


def _service_models(kept: Path | None) -> ServiceModels:
    from emulator.aws.service_models import ServiceModels  # with botocore, not before it is needed

    return ServiceModels(kept)


@contextlib.contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Let modules that nobody has imported seem not to be installed.

    Source: Python Language Reference, "The module cache" (None makes an import raise ModuleNotFoundError).
    """
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
