"""Session ids: made here, unguessable, and bound to their user.

An id is 16 random bytes and 16 bytes of a keyed digest over them and the user_id. So whether it belongs to a user is
known without asking Redis, also when Redis is down or the conversation has expired, and nothing tells someone else's id
from one that never was. Without the key nobody can make an id for a user, or try users until one fits.

The key is a member of the secret, which nobody else has. After a rotation ids of the key before are good as well, for
as long as the secret's version AWSPREVIOUS holds it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as random
from collections.abc import Iterator

from lambda_http.json_secret import JsonSecret, SecretError

KEY = "SESSION_KEY"
_HALF_BYTES = 16


class SessionIds:
    """The session ids of the key in `secret`, and of the one in `previous`, its version before."""

    def __init__(self, secret: JsonSecret, previous: JsonSecret) -> None:
        self._secret = secret
        self._previous = previous

    def new(self, user_id: str) -> str:
        """Return a new id for `user_id`, 43 characters of base64url. Raises SecretError when there is no key."""
        nonce = random.token_bytes(_HALF_BYTES)
        digest = _digest(self._secret.require(KEY), nonce, user_id)
        return base64.urlsafe_b64encode(nonce + digest).decode().rstrip("=")

    def belongs_to(self, session_id: str, user_id: str) -> bool:
        """Tell whether `session_id` was made for `user_id`; any other text was not.

        Raises SecretError when there is no key.
        """
        raw = _decoded(session_id)
        if raw is None:
            return False
        nonce, given = raw[:_HALF_BYTES], raw[_HALF_BYTES:]
        return any(hmac.compare_digest(given, _digest(key, nonce, user_id)) for key in self._keys())

    def _keys(self) -> Iterator[str]:
        current = self._secret.require(KEY)
        yield current
        # Another execution environment may know a newer one already.
        newer = self._secret.after_refusal(KEY, current)
        if newer:
            yield newer
        try:
            previous = self._previous.get(KEY)
        except SecretError:
            # There is none, or it cannot be read now: then the id is nobody's.
            return
        if previous:
            yield previous


def _decoded(session_id: str) -> bytes | None:
    try:
        raw = base64.b64decode(session_id.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    is_exact = base64.urlsafe_b64encode(raw).decode().rstrip("=") == session_id
    return raw if len(raw) == 2 * _HALF_BYTES and is_exact else None


def _digest(key: str, nonce: bytes, user_id: str) -> bytes:
    return hmac.digest(key.encode(), b"shopbot session\0" + nonce + user_id.encode(), hashlib.sha256)[:_HALF_BYTES]
