from __future__ import annotations

import pytest
from app.precondition import condition
from app.problem import Problem

EXISTS = "attribute_exists(#sku)"
FIRST = f"{EXISTS} AND #version = :m0v AND #updated_at = :m0u"


def test_none_without_headers() -> None:
    assert condition(None, None) is None


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "expression"),
    [
        ("*", None, EXISTS),
        (None, "*", "attribute_not_exists(#sku)"),
        ('"3.t"', None, FIRST),
        ('"3.t", "4.u"', None, f"{FIRST} OR {EXISTS} AND #version = :m1v AND #updated_at = :m1u"),
        (None, 'W/"3.t"', f"NOT ({EXISTS} AND #version = :n0v AND #updated_at = :n0u)"),
        ('"3.t"', "*", f"{FIRST} AND attribute_not_exists(#sku)"),
        ('"3.t", "x"', "*", f"({FIRST} OR {EXISTS} AND attribute_not_exists(#sku)) AND attribute_not_exists(#sku)"),
        ('W/"3.t"', None, f"{EXISTS} AND attribute_not_exists(#sku)"),
        ('"0."', None, f"{EXISTS} AND attribute_not_exists(#version) AND attribute_not_exists(#updated_at)"),
    ],
)
def test_expressions(if_match: str | None, if_none_match: str | None, expression: str) -> None:
    result = condition(if_match, if_none_match)

    assert result is not None
    assert result.expression == expression
    assert all(name in expression for name in result.values)


def test_values() -> None:
    result = condition('"3.2026-11-21T20:00:00Z"', None)

    assert result is not None
    assert result.values == {":m0v": {"N": "3"}, ":m0u": {"S": "2026-11-21T20:00:00Z"}}


@pytest.mark.parametrize("header", ["", "3", '"a', '"a", *'])
def test_refusals(header: str) -> None:
    for headers in ((header, None), (None, header)):
        with pytest.raises(Problem) as refusal:
            condition(*headers)
        assert refusal.value.status_code == 400
