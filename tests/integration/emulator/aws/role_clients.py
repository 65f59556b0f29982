"""boto3 clients as a function makes them: with the credentials of its role."""

from __future__ import annotations

from typing import Any

import boto3

from emulator.aws.stack import Stack


class RoleClients:
    """Clients with the credentials of the inventory function's role."""

    def __init__(self, stack: Stack, endpoint_url: str) -> None:
        credentials = stack.role_credentials("InventoryFunction")
        self._session = boto3.session.Session(
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            region_name="us-east-1",
        )
        self._endpoint_url = endpoint_url

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint_url)  # type: ignore[call-overload]
