"""What `template.yaml` says of one function, as far as packaging needs it: no translation, no AWS libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class DeclaredFunction:
    """A function of the template.

    `services` are the AWS services that its policies name, whose botocore models it can need; None when a policy does
    not spell its actions out, so that any service may be called.
    """

    logical_id: str
    code_uri: Path
    runtime: str
    architecture: str
    services: frozenset[str] | None


def read_function(template: Path, logical_id: str) -> DeclaredFunction:
    """Return the declaration of function `logical_id`. Raises `KeyError` when the template has no such function."""
    document = yaml.load(template.read_text(), Loader=_TemplateLoader)  # noqa: S506 a SafeLoader
    properties = document["Resources"][logical_id]["Properties"]
    inherited = document.get("Globals", {}).get("Function", {}) | properties
    defaults = {name: parameter.get("Default") for name, parameter in document.get("Parameters", {}).items()}
    return DeclaredFunction(
        logical_id=logical_id,
        code_uri=template.parent / properties["CodeUri"],
        runtime=_parameter(inherited["Runtime"], defaults),
        architecture=_parameter(inherited.get("Architectures", ["x86_64"])[0], defaults),
        services=_services(properties.get("Policies", [])),
    )


def read_functions(template: Path) -> list[DeclaredFunction]:
    """Return the declaration of every function of the template that is packaged: an image is not."""
    document = yaml.load(template.read_text(), Loader=_TemplateLoader)  # noqa: S506 a SafeLoader
    return [
        read_function(template, logical_id)
        for logical_id, resource in document["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
        and resource.get("Properties", {}).get("PackageType") != "Image"
    ]


def _parameter(value: object, defaults: Mapping[str, object]) -> str:
    return str(defaults[value["Ref"]] if isinstance(value, dict) else value)


def _services(policies: list[object]) -> frozenset[str] | None:
    services = set()
    for policy in policies:
        if not isinstance(policy, dict) or "Statement" not in policy:
            return None
        services |= {action.partition(":")[0] for action in _actions(policy["Statement"])}
    return frozenset(services)


def _actions(statements: list[dict[str, Any]]) -> Iterator[str]:
    for statement in statements:
        actions = statement["Action"]
        yield from [actions] if isinstance(actions, str) else actions


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref x`) as their long forms (`{"Ref": x}`)."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    match node:
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {name: loader.construct_mapping(node, deep=True)}
        case _:
            raise yaml.constructor.ConstructorError(None, None, f"cannot read !{suffix}", node.start_mark)


_TemplateLoader.add_multi_constructor("!", _long_form)
