"""Credentials: of the emulated account's root, and of a function's role, as Lambda gives them to an environment."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RootCredentials:
    """The credentials of an emulated account's root."""

    access_key_id: str
    secret_access_key: str = field(repr=False)

    @classmethod
    def random(cls) -> RootCredentials:
        """Return credentials that nobody else on the machine knows."""
        return cls(f"EMULATOR{secrets.token_hex(6).upper()}", secrets.token_urlsafe(30))

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the AWS SDKs read."""
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}

    @property
    def admin_token(self) -> str:
        """What MiniStack's own pages ask for in the header `ADMIN_HEADER` (`emulator/aws/ministack_launcher.py`)."""
        return hashlib.sha256(self.secret_access_key.encode()).hexdigest()


ADMIN_HEADER = "emulator-admin"


@dataclass(frozen=True)
class Endpoint:
    """Where an AWS account answers, and the credentials of its root.

    `admin_url` is where MiniStack's own pages are, "" when they are at `url`.
    """

    url: str
    root: RootCredentials
    admin_url: str = ""


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
