"""Parameter values are checked as CloudFormation checks them."""

from __future__ import annotations

from typing import Any

import pytest

from sam_template import TemplateError
from sam_template.parameters import parameter_values, referable_values


def check(declaration: dict[str, Any], value: str) -> dict[str, str]:
    return parameter_values("template.yaml", {"P": declaration}, {"P": value})


def test_defaults_are_text_and_overrides_win() -> None:
    declared = {"A": {"Type": "Number", "Default": 30}, "B": {"Type": "String", "Default": True}, "C": {"Default": ""}}
    assert parameter_values("t", declared, {"C": "x"}) == {"A": "30", "B": "true", "C": "x"}


def test_list_types_are_lists_when_referred_to() -> None:
    declared = {"L": {"Type": "CommaDelimitedList"}, "N": {"Type": "List<Number>"}, "S": {"Type": "String"}}
    values = referable_values(declared, {"L": "a, b", "N": "", "S": "a,b"})
    assert values == {"L": ["a", "b"], "N": [], "S": "a,b"}


@pytest.mark.parametrize(
    ("declaration", "value", "sentence"),
    [
        ({"AllowedValues": ["a", "b"]}, "c", "must be one of a, b"),
        ({"AllowedPattern": "[0-9]+"}, "12x", r"must match \[0-9\]\+"),
        ({"Type": "Number"}, "many", "must be a number"),
        ({"Type": "Number", "MinValue": 1}, "0", "must be at least 1"),
        ({"Type": "Number", "MaxValue": 29}, "30", "must be at most 29"),
        ({"MinLength": 2}, "x", "must have at least 2 characters"),
        ({"MaxLength": 2}, "xyz", "must have at most 2 characters"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "/x", "must have a type that needs no AWS account"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a"]}, "a,b", "must be one of a"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(declaration: dict[str, Any], value: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=f"template.yaml: the parameter P {sentence}"):
        check(declaration, value)


@pytest.mark.parametrize(("value"), ["1", "29", "2.5", "+3", "-0"])
def test_numbers_are_kept_as_they_were_written(value: str) -> None:
    assert check({"Type": "Number"}, value) == {"P": value}


def test_an_unknown_or_missing_parameter_is_named() -> None:
    with pytest.raises(TemplateError, match="no parameter Stagge; it has Stage"):
        parameter_values("template.yaml", {"Stage": {"Default": "local"}}, {"Stagge": "prod"})
    with pytest.raises(TemplateError, match="Stage has no Default"):
        parameter_values("template.yaml", {"Stage": {}}, {})
