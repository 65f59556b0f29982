"""Session ids: made here, unguessable, and bound to their user.

An id is 16 random bytes and 16 bytes of a digest over them and the user_id. So whether it belongs to a user is known
without asking Redis, also when Redis is down or the conversation has expired, and nothing tells someone else's id
from one that never was.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

_HALF_BYTES = 16


def new_session_id(user_id: str) -> str:
    """Return a new id for `user_id`, 43 characters of base64url."""
    nonce = secrets.token_bytes(_HALF_BYTES)
    return base64.urlsafe_b64encode(nonce + _proof(nonce, user_id)).decode().rstrip("=")


def belongs_to(session_id: str, user_id: str) -> bool:
    """Tell whether `session_id` was made for `user_id`; any other text was not."""
    try:
        raw = base64.b64decode(session_id.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return False
    if len(raw) != 2 * _HALF_BYTES or base64.urlsafe_b64encode(raw).decode().rstrip("=") != session_id:
        return False
    return hmac.compare_digest(raw[_HALF_BYTES:], _proof(raw[:_HALF_BYTES], user_id))


def _proof(nonce: bytes, user_id: str) -> bytes:
    return hashlib.sha256(b"shopbot session\0" + nonce + user_id.encode()).digest()[:_HALF_BYTES]
