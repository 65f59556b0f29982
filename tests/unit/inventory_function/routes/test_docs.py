"""The page at /docs and its files: from the package, pinned, under a policy that admits no other host."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


def test_the_page_and_what_it_loads_come_from_the_package(call: Call, request_event: Call) -> None:
    page = call(request_event("GET", "/docs"))

    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert not re.findall(rb"(?:https?:)?//[a-z]", page.body)
    linked = re.findall(rb'(?:src|href)="(docs/[^"]+)"', page.body)
    assert len(linked) == 2
    for link in linked:
        asset = call(request_event("GET", f"/{link.decode()}"))
        assert asset.status == 200
        assert asset.headers["content-type"].partition(";")[0] in {"text/css", "text/javascript"}
        assert asset.headers["x-content-type-options"] == "nosniff"
        assert len(asset.body) > 100_000


def test_the_policy_admits_the_pages_own_script_and_nothing_else_inline(call: Call, request_event: Call) -> None:
    page = call(request_event("GET", "/docs"))
    policy = dict(each.split(" ", 1) for each in page.headers["content-security-policy"].split("; "))

    (script,) = re.findall(rb"<script>(.*?)</script>", page.body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["style-src"] == policy["connect-src"] == "'self'"


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui.css"])
def test_the_page_names_its_files_relative_to_itself_so_that_a_stage_does_not_matter(
    call: Call, request_event: Call, path: str
) -> None:
    event = request_event("GET", f"/prod{path}")
    event["routeKey"], event["requestContext"]["stage"] = "GET /docs", "prod"
    plain = call(request_event("GET", path))

    event["routeKey"] = f"GET {path.replace('swagger-ui.css', '{asset}')}"
    assert call(event).body == plain.body


@pytest.mark.parametrize("asset", ["index.html", "LICENSE", "..", "../__init__.py", "swagger-ui.css/", "é"])
def test_no_other_file_is_served(call: Call, request_event: Call, asset: str) -> None:
    answer = call(request_event("GET", f"/docs/{asset}"))

    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
