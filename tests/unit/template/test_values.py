"""A value can be followed from samconfig.toml through the template to the code that reads it, and none is lost."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sam_template import translation
from sam_template.repository import TEMPLATE
from tests.unit.template.conftest import PROD, Stage
from tools.package_function import packaged_sources

SAMCONFIG = TEMPLATE.with_name("samconfig.toml")
DECLARED = translation.parse(TEMPLATE, TEMPLATE.read_text())
FUNCTIONS = {
    name: resource["Properties"]["CodeUri"].rstrip("/")
    for name, resource in DECLARED["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
READ_BY_LIBRARIES = {
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "POWERTOOLS_LOG_LEVEL",
    "POWERTOOLS_SERVICE_NAME",
}
"""botocore, the runtime (`sam local`), and Powertools."""
LAMBDAS_OWN = {
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_XRAY_DAEMON_ADDRESS",
    "_X_AMZN_TRACE_ID",
}
NOT_LAMBDAS = {"APP_ENV", "FLASK_ENV", "SCRIPT_NAME", "STRIP_STAGE_PATH"}
"""WSGI's, run.py's, and what the handler itself sets for serverless-wsgi."""


def references(node: Any) -> Iterator[str]:
    """Yield every name that the intrinsics in `node` refer to."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{([^!][^}]*)\}", value if isinstance(value, str) else value[0])
            yield from references(value)
    elif isinstance(node, list):
        for member in node:
            yield from references(member)


def overrides(stage: str) -> dict[str, str]:
    """Return what samconfig.toml gives the template's parameters in `stage`."""
    deploy = tomllib.loads(SAMCONFIG.read_text())[stage]["deploy"]["parameters"]
    return dict(deploy["parameter_overrides"])


def variables(properties: Mapping[str, Any]) -> set[str]:
    return set(properties.get("Environment", {}).get("Variables", {}))


def code(function: str) -> str:
    sources = packaged_sources(TEMPLATE.parent / FUNCTIONS[function]).values()
    return "\n".join(path.read_text() for path in sources if path.suffix == ".py")


@pytest.mark.parametrize("stage", ["rehearsal", "staging", "prod"])
def test_a_value_of_samconfig_is_a_value_that_the_template_allows(tmp_path: Path, stage: str) -> None:
    from sam_template import Template

    template = Template.load(TEMPLATE, overrides(stage), cache=tmp_path)

    assert template.parameters["Stage"] == ("prod" if stage == "prod" else "staging")


def test_every_parameter_has_a_use_and_says_what_it_is() -> None:
    used = set(references([DECLARED["Conditions"], DECLARED["Globals"], DECLARED["Resources"]]))
    assert set(DECLARED["Parameters"]) <= used
    assert all(parameter["Description"].endswith(".") for parameter in DECLARED["Parameters"].values())


def test_every_condition_has_a_use() -> None:
    text = TEMPLATE.read_text()
    for name in DECLARED["Conditions"]:
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_variable_that_is_declared_is_read(prod: Stage, function: str) -> None:
    declared = variables(DECLARED["Resources"][function]["Properties"])
    names = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', code(function)))
    assert declared - READ_BY_LIBRARIES <= names


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_variable_that_is_read_is_declared(function: str) -> None:
    declared = variables(DECLARED["Globals"]["Function"]) | variables(DECLARED["Resources"][function]["Properties"])
    read = set(re.findall(r'environ(?:ment)?(?:\.get\(|\[|, )"(\w+)"', code(function)))
    assert read - LAMBDAS_OWN - NOT_LAMBDAS <= declared


def test_the_model_of_claude_can_be_followed(prod: Stage, stage: Any) -> None:
    from shopping_bot.config import get_config

    shop = stage(**PROD, ClaudeModel="claude-next")
    variables = shop.properties("ShopbotFunction")["Environment"]["Variables"]

    assert get_config("lambda", variables).CLAUDE_MODEL == "claude-next"


@pytest.mark.parametrize("stage_name", ["staging", "prod"])
@pytest.mark.parametrize("parameter", ["LambdaRuntime", "LambdaArchitecture"])
def test_a_stage_runs_what_the_package_is_built_for(stage_name: str, parameter: str) -> None:
    """`make package` builds for the template's default; a stack keeps the value it has when samconfig.toml has none."""
    assert overrides(stage_name)[parameter] == DECLARED["Parameters"][parameter]["Default"]
