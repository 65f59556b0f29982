"""GET /chat/ui: the chat page."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from flask import Blueprint, Response

blueprint = Blueprint("pages", __name__)

_TEMPLATE = Path(__file__).parents[1] / "templates" / "chat.html"
_INLINE = re.compile(rb"<(style|script)\b[^>]*>(.*?)</\1>", re.DOTALL)


@blueprint.get("/chat/ui")
def show_chat() -> Response:
    """Send the page as it is, under a policy that admits its own style and script and nothing else."""
    page, policy = _page()
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Response(page, headers=headers, content_type="text/html; charset=utf-8")


@cache
def _page() -> tuple[bytes, str]:
    page = _TEMPLATE.read_bytes()
    return page, policy(page)


def policy(page: bytes) -> str:
    """Return the Content-Security-Policy of `page` (W3C, "Content Security Policy Level 3", "Hash usage")."""
    hashes: dict[bytes, list[str]] = {b"style": [], b"script": []}
    for kind, content in _INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    styles, scripts = (" ".join(each) or "'none'" for each in hashes.values())
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {styles}",
            f"script-src {scripts}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ]
    )
