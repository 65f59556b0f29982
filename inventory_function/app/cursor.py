"""The cursor of the list: where the next page starts, opaque to clients.

Form: base64url without padding of six bytes of SHA-256 and the SKU that ended the page. The checksum finds damage and
hand-made cursors; it is no secret, because a cursor names nothing that the list itself would not show.
"""

import base64
import binascii
import hashlib

# A partition key of DynamoDB holds at most 2048 bytes.
_MAXIMUM_LENGTH = 4 * (6 + 2048) // 3 + 4
_CHECKSUM_BYTES = 6


def encode(sku: str) -> str:
    """Return the cursor for the page that follows `sku`."""
    key = sku.encode()
    return base64.urlsafe_b64encode(_checksum(key) + key).rstrip(b"=").decode()


def decode(cursor: str) -> str:
    """Return the SKU in `cursor`. Raises ValueError unless `cursor` is exactly what `encode` returns for it."""
    if not 0 < len(cursor) <= _MAXIMUM_LENGTH:
        raise ValueError("length")
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        sku = raw[_CHECKSUM_BYTES:].decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("encoding") from error
    # The comparison also refuses other spellings of the same bytes, which base64 allows.
    if not sku or encode(sku) != cursor:
        raise ValueError("checksum")
    return sku


def _checksum(key: bytes) -> bytes:
    return hashlib.sha256(b"inventory-cursor-1:" + key).digest()[:_CHECKSUM_BYTES]
