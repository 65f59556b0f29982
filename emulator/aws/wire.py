"""The AWS endpoint as its proxy knows it: how an injected error is worded, and which pages are closed.

Source: AWS JSON 1.0 protocol ("Operation error serialization"); Amazon S3 API reference, "Error responses".
"""

from __future__ import annotations

import json
from typing import Final

from emulator.fault_injection import ErrorBody, Head, HttpWire

_SENTENCE: Final = "The emulator was told to answer with this error."
_REQUEST_ID: Final = "FAULTOFTHEEMULATOR"
_JSON_ERRORS: Final = {
    400: "ThrottlingException",
    403: "AccessDeniedException",
    429: "ThrottlingException",
    503: "ServiceUnavailable",
}
_S3_ERRORS: Final = {403: "AccessDenied", 500: "InternalError"}


def _injected(status: int, head: Head) -> ErrorBody:
    media_type = head.headers.get(b"content-type", b"")
    if b"x-amz-target" in head.headers or media_type.startswith(b"application/x-amz-json"):
        error = {"__type": _JSON_ERRORS.get(status, "InternalServerError"), "message": _SENTENCE}
        return ErrorBody(
            json.dumps(error).encode(), "application/x-amz-json-1.0", headers={"x-amzn-requestid": _REQUEST_ID}
        )
    error = {"Code": _S3_ERRORS.get(status, "SlowDown"), "Message": _SENTENCE}
    members = "".join(f"<{name}>{text}</{name}>" for name, text in error.items())
    document = f'<?xml version="1.0" encoding="UTF-8"?><Error>{members}</Error>'
    return ErrorBody(document.encode(), "application/xml", headers={"x-amz-request-id": _REQUEST_ID})


WIRE: Final = HttpWire(_injected, closed_path="_ministack")
"""MiniStack's own pages, which reset and reconfigure it, are not for its clients."""
