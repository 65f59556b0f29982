"""GET /docs: FastAPI's page with Swagger UI, whose files come from the package and from nowhere else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html

from app.routes.strict_route import StrictRoute
from lambda_http.problem import Problem

router = APIRouter(include_in_schema=False, route_class=StrictRoute)

# Of swagger-ui-dist, as fastapi-standalone-docs carries it; requirements.txt pins it.
_ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_DAY = 86_400


@router.get("/docs")
def show_docs() -> Response:
    """Send the page, under a policy that admits the service's own files and no other host's."""
    page, policy = _page()
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
    return Response(page, headers=headers, media_type="text/html")


@router.get("/docs/{asset}")
def read_asset(asset: str) -> Response:
    """Send a file that the page names. Raises Problem 404."""
    if asset not in _ASSETS:
        raise Problem(404, "There is no such file; GET /docs shows the page.")
    content = (resources.files("fastapi_standalone_docs") / "static" / "swagger" / asset).read_bytes()
    headers = {"Cache-Control": f"public, max-age={_DAY}", "X-Content-Type-Options": "nosniff"}
    return Response(content, headers=headers, media_type=_ASSETS[asset])


@cache
def _page() -> tuple[bytes, str]:
    # Relative, so that they hold behind a stage or a base path as well.
    page = bytes(
        get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Shop inventory",
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="data:,",
        ).body
    )
    # W3C, "Content Security Policy Level 3", "Hash usage"
    hashes = [hashlib.sha256(script).digest() for script in re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)]
    scripts = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in hashes)
    return page, "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
