"""Content-Disposition for a download (RFC 6266; the extended form is RFC 8187, which obsoletes RFC 5987)."""

import re
from urllib.parse import quote

# Backslash and quote would need quoting that clients disagree on; "%" is decoded by some (RFC 6266 appendix D).
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\%]')

# attr-char of RFC 8187 section 3.2.1 beyond the letters, digits and "_.-~" that quote() keeps anyway.
_ATTR_CHAR = "!#$&+^`|"


def attachment(filename: str) -> str:
    """Return the header value that makes a client save the body as `filename`; always printable ASCII.

    A name that a quoted string cannot carry safely is sent twice: a readable fallback, and the exact name in UTF-8.
    """
    fallback = _UNSAFE.sub("_", filename)
    if fallback == filename:
        return f'attachment; filename="{filename}"'
    exact = quote(filename, safe=_ATTR_CHAR, errors="replace")
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{exact}"
