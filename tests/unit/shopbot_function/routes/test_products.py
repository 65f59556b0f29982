"""POST /products/search at its edge."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from shopping_bot.backends import BackingServiceError
from shopping_bot.search.product_search import InvalidSearchError, ProductSearch

from lambda_http.json_secret import SecretError
from tests.unit.shopbot_function.fakes import FakeInventory, product


def test_products_are_found(shop: Any, call: Callable[..., Any], request_event: Callable[..., Any]) -> None:
    shop.search.products = [product("A", "85.00")]
    answer = call(request_event("POST", "/products/search", {"query": "chips", "price_max": 99.5}))
    assert answer.status == 200
    assert answer.json["products"][0]["sku"] == "A"
    assert b'"price":85.00' in answer.body
    assert str(shop.search.asked[0]["price_max"]) == "99.5"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{", "The body is not JSON"),
        ("[]", "must be a JSON object"),
        ("", "The body is empty"),
        (json.dumps({}), "Query is missing."),
        (json.dumps({"query": "x" * 201}), "Query must have at most 200 characters."),
        (json.dumps({"query": "x", "size": 51}), "Size must be at most 50."),
        ('{"query": "\\ud800"}', "surrogate"),
        ('{"query": "x", "price_max": NaN}', "NaN"),
    ],
)
def test_a_wrong_request_is_a_sentence(
    shop: Any, call: Callable[..., Any], request_event: Callable[..., Any], body: str, detail: str
) -> None:
    shop.search.search = ProductSearch(Any, FakeInventory()).search  # type: ignore[arg-type]
    answer = call(request_event("POST", "/products/search", body, content_type="application/json"))
    assert answer.status == 400
    assert detail in answer.json["detail"]
    assert answer.json["title"] == "Bad Request"


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (InvalidSearchError("Price_min must not be more than price_max."), 400, "Price_min must not be"),
        (BackingServiceError("elasticsearch", "refused"), 503, "product search is not available"),
        (SecretError("ES_API_KEY", "is refused"), 503, "ES_API_KEY is refused"),
    ],
)
def test_a_search_that_fails_is_a_problem(
    shop: Any, call: Callable[..., Any], request_event: Callable[..., Any], error: Exception, status: int, detail: str
) -> None:
    shop.search.error = error
    answer = call(request_event("POST", "/products/search", {"query": "chips"}))
    assert answer.status == status
    assert detail in answer.json["detail"]
