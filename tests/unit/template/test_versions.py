"""A change of a function's configuration is a new version, as CloudFormation transforms the template.

CloudFormation puts the values of parameters in place first (AWS::LanguageExtensions), then SAM names each version after
the function's properties; the emulator leaves the first step out. `sam` has AWS's own implementation of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from samcli.lib.cfn_language_extensions.sam_integration import (  # type: ignore[import-untyped]
    expand_language_extensions,
)

from sam_template import Template, translation
from sam_template.repository import TEMPLATE
from tests.shop import link_definitions
from tests.unit.template.test_values import overrides


def resources(folder: Path, **changed: str) -> dict[str, Any]:
    """Return what production's stack declares, with some parameters changed, values in place."""
    declared = translation.parse(TEMPLATE, TEMPLATE.read_text())
    defaults = {name: str(parameter["Default"]) for name, parameter in declared["Parameters"].items()}
    parameters = {**defaults, **overrides("prod"), **changed}
    expanded = expand_language_extensions(declared, parameters, enabled=True).expanded_template
    path = folder / "template.yaml"
    path.write_text(json.dumps(expanded), encoding="utf-8")
    link_definitions(path.parent)
    return dict(Template.load(path, parameters, cache=folder).resources)


def version(declared: dict[str, Any], function: str) -> str:
    (found,) = (name for name in declared if name.startswith(f"{function}Version"))
    return found


@pytest.mark.parametrize(
    ("parameter", "value", "function"),
    [
        ("InventoryMemoryMegabytes", "1024", "InventoryFunction"),
        ("InventoryTimeoutSeconds", "20", "InventoryFunction"),
        ("ClaudeModel", "another-model", "ShopbotFunction"),
        ("ShopbotMemoryMegabytes", "1024", "ShopbotFunction"),
    ],
)
def test_a_changed_value_is_a_new_version(tmp_path: Path, parameter: str, value: str, function: str) -> None:
    before, after = resources(tmp_path), resources(tmp_path, **{parameter: value})
    assert version(before, function) != version(after, function)


@pytest.mark.parametrize("name", ["Inventory", "Shopbot"])
def test_a_changed_reservation_changes_what_a_version_holds(tmp_path: Path, name: str) -> None:
    """Lambda refuses to publish a version that differs from the last one in its reservation alone."""
    function = f"{name}Function"
    before, after = resources(tmp_path), resources(tmp_path, **{f"{name}ReservedConcurrency": "20"})
    assert version(before, function) != version(after, function)
    descriptions = {declared[function]["Properties"]["Description"] for declared in (before, after)}
    assert len(descriptions) == 2
