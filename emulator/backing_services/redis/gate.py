"""Authentication of the embedded Redis: what a connection may do before it has given the password.

Source: Redis documentation, commands AUTH and HELLO; the wording of the refusals is that of redis-server 7.0.15.
"""

from __future__ import annotations

import hmac
from typing import Final

PASSWORD_VARIABLE: Final = "EMBEDDED_REDIS_PASSWORD"  # noqa: S105 (the name of a variable)
"""The environment variable that hands the password to the embedded server."""

NO_AUTHENTICATION: Final = "NOAUTH Authentication required."
WRONG_PASSWORD: Final = "WRONGPASS invalid username-password pair or user is disabled."  # noqa: S105
NO_PASSWORD_SET: Final = (
    "ERR AUTH <password> called without any password configured for the default user. "  # noqa: S105
    "Are you sure your configuration is correct?"
)
HELLO_NEEDS_PASSWORD: Final = (
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "  # noqa: S105
    "option can be used to authenticate the client and select the RESP protocol version at the same time"
)
UNSUPPORTED_PROTOCOL: Final = "NOPROTO unsupported protocol version"


class Gate:
    """Whether one connection has given the password; without a password it is open from the start."""

    def __init__(self, password: bytes | None) -> None:
        self._password = password
        self.open = password is None

    def admit(self, fields: list[bytes]) -> tuple[list[bytes], str | None]:
        """Return the command to run, and OK or an error line when that is the whole answer."""
        name = fields[0].lower()
        if name == b"auth" and len(fields) in (2, 3):
            return fields, self._authenticate(fields[1:])
        if name == b"hello":
            return self._hello(fields)
        if not self.open and name not in (b"quit", b"reset"):
            return fields, NO_AUTHENTICATION
        return fields, None

    def _authenticate(self, credentials: list[bytes]) -> str:
        if self._password is None and len(credentials) == 1:
            return NO_PASSWORD_SET
        user, password = [b"default", *credentials][-2:]
        if user == b"default" and (self._password is None or hmac.compare_digest(password, self._password)):
            self.open = True
            return "OK"
        return WRONG_PASSWORD

    def _hello(self, fields: list[bytes]) -> tuple[list[bytes], str | None]:
        if len(fields) > 1 and fields[1] not in (b"2", b"3"):
            return fields, UNSUPPORTED_PROTOCOL
        options = [field.lower() for field in fields]
        if b"auth" in options[2:]:
            place = options.index(b"auth", 2)
            answer = self._authenticate(fields[place + 1 : place + 3])
            if answer != "OK":
                return fields, answer
            fields = fields[:place] + fields[place + 3 :]
        return (fields, None) if self.open else (fields, HELLO_NEEDS_PASSWORD)
