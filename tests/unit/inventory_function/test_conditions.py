from __future__ import annotations

from typing import Any

import pytest
from app.conditions import add_condition, condition

from lambda_http.problem import Problem

EXISTS = "attribute_exists(#sku)"
FIRST = f"{EXISTS} AND #version = :m0v AND #created_at = :m0c"


def test_no_header_is_no_condition() -> None:
    assert condition(None, None) is None


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "expression"),
    [
        ("*", None, EXISTS),
        (None, "*", "attribute_not_exists(#sku)"),
        ('"3.t"', None, FIRST),
        ('"3.t", "4.u"', None, f"{FIRST} OR {EXISTS} AND #version = :m1v AND #created_at = :m1c"),
        (None, 'W/"3.t"', f"NOT ({EXISTS} AND #version = :n0v AND #created_at = :n0c)"),
        ('"3.t"', "*", f"{FIRST} AND attribute_not_exists(#sku)"),
        ('"3.t", "x"', "*", f"({FIRST} OR {EXISTS} AND attribute_not_exists(#sku)) AND attribute_not_exists(#sku)"),
        ('W/"3.t"', None, f"{EXISTS} AND attribute_not_exists(#sku)"),
        ('"0."', None, f"{EXISTS} AND attribute_not_exists(#version) AND attribute_not_exists(#created_at)"),
    ],
)
def test_headers_as_conditions(if_match: str | None, if_none_match: str | None, expression: str) -> None:
    result = condition(if_match, if_none_match)

    assert result is not None
    assert result.expression == expression
    assert all(name in expression for name in result.values)


def test_the_values_of_a_condition() -> None:
    result = condition('"3.2026-11-21T20:00:00Z"', None)

    assert result is not None
    assert result.values == {":m0v": {"N": "3"}, ":m0c": {"S": "2026-11-21T20:00:00Z"}}


@pytest.mark.parametrize("header", ["", "3", '"a', '"a", *'])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    for headers in ((header, None), (None, header)):
        with pytest.raises(Problem) as refusal:
            condition(*headers)
        assert refusal.value.status == 400


def test_a_condition_joins_another_one_with_the_parentheses_that_it_needs() -> None:
    def joined(if_match: str | None, if_none_match: str | None = None, besides: str = "") -> Any:
        request: dict[str, Any] = {}
        add_condition(request, condition(if_match, if_none_match), besides)
        return request.get("ConditionExpression")

    assert joined(None) is None
    assert joined(None, None, "a = b") == "a = b"
    assert joined("*") == EXISTS
    assert joined("*", None, "a = b") == f"{EXISTS} AND a = b"
    assert joined('"3.t", "x"', None, "a = b").startswith(f"({FIRST} OR ")
    assert joined('"3.t", "x"', None, "a = b").endswith(") AND a = b")
    assert joined('"3.t", "x"').startswith(FIRST)
