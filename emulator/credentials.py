"""Credentials of a function's role, as Lambda puts them into an execution environment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RoleCredentials:
    """What STS AssumeRole answered. `expires_at` is aware (UTC)."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the AWS SDKs read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


RoleCredentialsProvider = Callable[[str], Awaitable[RoleCredentials | None]]
"""Given a function's logical id, its role's credentials; None when the function runs with what the client passed."""
