from __future__ import annotations

from typing import Any

import pytest
from app.main import app

WRITES = {
    ("/inventory", "post"),
    ("/inventory/{sku}", "put"),
    ("/inventory/{sku}", "delete"),
    ("/inventory/{sku}/adjustments", "post"),
}


def document() -> dict[str, Any]:
    return app.openapi()


def test_every_refusal_is_a_problem() -> None:
    published = document()

    for operations in published["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = {"$ref": "#/components/schemas/Problem"}
                    assert response["content"] == {"application/problem+json": {"schema": schema}}
    assert "HTTPValidationError" not in published["components"]["schemas"]


def test_writes_ask_for_the_key_and_nothing_else_does() -> None:
    secured = {
        (path, method)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if operation.get("security") == [{"ApiKey": []}]
    }

    assert secured == WRITES
    scheme = document()["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "x-api-key")


@pytest.mark.parametrize(
    ("value", "required"), [(None, True), ("true", True), ("", True), ("no", True), ("False", False)]
)
def test_only_an_explicit_false_turns_the_key_off(
    monkeypatch: pytest.MonkeyPatch, value: str | None, *, required: bool
) -> None:
    from app.config import is_api_key_required

    if value is None:
        monkeypatch.delenv("REQUIRE_API_KEY", raising=False)
    else:
        monkeypatch.setenv("REQUIRE_API_KEY", value)

    assert is_api_key_required() is required
