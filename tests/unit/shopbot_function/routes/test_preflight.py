"""The function takes the preflight requests of every path: its route is $default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("path", ["/inventory", "/inventory/TEA-1", "/chat", "/products/search", "/unknown"])
def test_a_preflight_request_is_a_success_on_every_path(
    call: Callable[..., Any], request_event: Callable[..., Any], path: str
) -> None:
    answer = call(request_event("OPTIONS", path))

    assert answer.status == 204
    assert answer.body == b""
