"""The application's own part of a path, and what stands before it."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_http.base_path import split

FASTAPI = ("/", "/inventory", "/inventory/{sku}", "/file/download/{filename:any}")
FLASK = ("/health", "/chat", "/chat/<session_id>", "/files/<path:name>")


@pytest.mark.parametrize(
    ("path", "template", "parts"),
    [
        ("/inventory/A", "/inventory/{sku}", ("/inventory/A", "")),
        ("/prod/inventory/A", "/inventory/{sku}", ("/inventory/A", "/prod")),
        ("/shop/v1/inventory/A", "/inventory/{sku}", ("/inventory/A", "/shop/v1")),
        ("/", "/", ("/", "")),
        ("/prod", "/", ("/", "/prod")),
        ("/prod/", "/", ("/", "/prod")),
        # A stage or a mapping with the name of a route
        ("/inventory", "/inventory", ("/inventory", "")),
        ("/inventory/inventory", "/inventory", ("/inventory", "/inventory")),
        # A file name that holds a decoded slash fits no template
        ("/file/download/a/b", "/file/download/{filename}", ("/file/download/a/b", "")),
    ],
)
def test_the_template_of_the_event_describes_the_end_of_the_path(
    path: str, template: str, parts: tuple[str, str]
) -> None:
    assert split(path, template=template) == parts


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("/health", "health", ("/health", "")),
        ("/v1/health", "health", ("/health", "/v1")),
        ("/v1/chat/s%201", "chat/s 1", ("/chat/s%201", "/v1")),
        ("/v1/chat/s 1", "chat/s%201", ("/chat/s 1", "/v1")),
        ("/v1/health/", "health", ("/health/", "/v1")),
        ("/v1/health", None, ("/v1/health", "")),
    ],
)
def test_the_value_of_a_greedy_parameter_tells_where_the_path_begins(
    path: str, value: str | None, parts: tuple[str, str]
) -> None:
    assert split(path, template="/{proxy+}", greedy_value=value) == parts


@pytest.mark.parametrize(
    ("path", "routes", "parts"),
    [
        ("/v1/health", FLASK, ("/health", "/v1")),
        ("/shop/v1/chat/abc", FLASK, ("/chat/abc", "/shop/v1")),
        ("/health", FLASK, ("/health", "")),
        ("/chat/health", FLASK, ("/chat/health", "")),
        ("/v1/files/a/b", FLASK, ("/files/a/b", "/v1")),
        ("/shop/inventory/A", FASTAPI, ("/inventory/A", "/shop")),
        ("/shop/file/download/a/b", FASTAPI, ("/file/download/a/b", "/shop")),
        ("/inventory/", FASTAPI, ("/inventory/", "")),
        ("/nowhere", FASTAPI, ("/nowhere", "")),
    ],
)
def test_without_a_template_the_routes_of_the_application_tell(
    path: str, routes: tuple[str, ...], parts: tuple[str, str]
) -> None:
    assert split(path, routes=routes) == parts


@pytest.mark.parametrize(
    ("path", "given", "parts"),
    [
        ("/prod/chat", {"stage": "prod"}, ("/chat", "/prod")),
        ("/prod", {"stage": "prod"}, ("/", "/prod")),
        ("/production/chat", {"stage": "prod"}, ("/production/chat", "")),
        ("/chat", {"stage": "prod"}, ("/chat", "")),
        ("/$default/chat", {"stage": "$default"}, ("/$default/chat", "")),
        # On API Gateway's own host nothing else can stand before the path
        ("/v1/health", {"is_own_host": True, "routes": FLASK}, ("/v1/health", "")),
        ("/prod/health", {"is_own_host": True, "routes": FLASK, "stage": "prod"}, ("/health", "/prod")),
        # A stage named like a route, behind a custom domain
        ("/chat", {"routes": FLASK, "stage": "chat"}, ("/chat", "")),
    ],
)
def test_a_stage_stands_before_the_path(path: str, given: dict[str, Any], parts: tuple[str, str]) -> None:
    assert split(path, **given) == parts
