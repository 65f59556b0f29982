from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shopping_bot.routes import pages

TEMPLATE = Path(pages.__file__).parents[1] / "templates" / "chat.html"


def test_the_page_is_sent_as_it_is_under_its_policy(
    call: Callable[..., Any], request_event: Callable[..., Any]
) -> None:
    answer = call(request_event("GET", "/chat/ui"))

    assert answer.status == 200
    assert answer.body == TEMPLATE.read_bytes()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_the_policy_admits_every_inline_part_and_nothing_else() -> None:
    page = b"<style>a{}</style><script type='module'>one()</script><script>\ntwo()\n</script>"
    policy = pages.policy(page)

    for content in (b"a{}", b"one()", b"\ntwo()\n"):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "script-src 'none'" in pages.policy(b"<p>plain</p>")


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = TEMPLATE.read_text()

    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", page)
    assert not re.search(r"\bon[a-z]+\s*=\s*[\"']", page)
