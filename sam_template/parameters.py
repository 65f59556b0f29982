"""The values of a template's parameters, checked as CloudFormation checks them.

Source: AWS CloudFormation User Guide, "CloudFormation template Parameters syntax".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sam_template.translation import TemplateError


def parameter_values(file: str, declared: Mapping[str, Any], overrides: Mapping[str, str]) -> dict[str, str]:
    """Return each declared parameter's value as text: the override, else its Default.

    Raises TemplateError, naming `file`, for an override that is not declared, a parameter without a value, or a value
    that its declaration does not allow.
    """
    unknown = sorted(set(overrides) - set(declared))
    if unknown:
        raise TemplateError(f"{file} has no parameter {unknown[0]}; it has {', '.join(sorted(declared)) or 'none'}.")
    values = {}
    for name, declaration in declared.items():
        if name not in overrides and "Default" not in declaration:
            raise TemplateError(f"{file}: the parameter {name} has no Default; give it a value.")
        value = _text(overrides.get(name, declaration.get("Default")))
        problem = _problem(declaration, value)
        if problem:
            raise TemplateError(f"{file}: the parameter {name} must {problem}; its value is {value!r}.")
        values[name] = value
    return values


def referable_values(declared: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return what `Ref` gives for each parameter: a list of texts for the list types, else the text."""
    return {name: _members(value) if _is_list(declared[name]) else value for name, value in values.items()}


def _is_list(declaration: Mapping[str, Any]) -> bool:
    kind = str(declaration.get("Type", "String"))
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def _members(value: str) -> list[str]:
    return [member.strip() for member in value.split(",")] if value else []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(declaration: Mapping[str, Any], value: str) -> str | None:
    """Return what `value` must do and does not, or None."""
    kind = str(declaration.get("Type", "String"))
    if kind.startswith("AWS::SSM::"):
        return "have a type that needs no AWS account"
    allowed = [_text(member) for member in declaration.get("AllowedValues", [])]
    parts = _members(value) if _is_list(declaration) else [value]
    if allowed and not all(part in allowed for part in parts):
        return f"be one of {', '.join(allowed)}"
    pattern = declaration.get("AllowedPattern")
    if pattern and not all(re.fullmatch(pattern, part) for part in parts):
        return f"match {pattern}"
    if kind in ("Number", "List<Number>"):
        return next((problem for part in parts if (problem := _number_problem(declaration, part))), None)
    if len(value) < int(declaration.get("MinLength", 0)):
        return f"have at least {declaration['MinLength']} characters"
    if "MaxLength" in declaration and len(value) > int(declaration["MaxLength"]):
        return f"have at most {declaration['MaxLength']} characters"
    return None


def _number_problem(declaration: Mapping[str, Any], value: str) -> str | None:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", value):
        return "be a number"
    if "MinValue" in declaration and float(value) < float(declaration["MinValue"]):
        return f"be at least {declaration['MinValue']}"
    if "MaxValue" in declaration and float(value) > float(declaration["MaxValue"]):
        return f"be at most {declaration['MaxValue']}"
    return None
