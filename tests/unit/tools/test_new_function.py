"""`make new`: what it writes, and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sam_template import Template
from sam_template.repository import TEMPLATE
from tests.shop import link_definitions
from tools import new_function
from tools.new_function import NewFunction, NewFunctionError, add

SMALL = """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Architectures: [arm64]}}
Resources:
  # The only one.
  GreetingFunction:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: greeting/, Handler: h.h,
       Events: {Hello: {Type: HttpApi, Properties: {Method: GET, Path: "/hello/{name}"}}}}

# What it gives.
Outputs:
  Name: {Value: !Ref GreetingFunction}
"""
ADDED = ("TestedAddition", "GET /tested-addition")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a small template, which is read quickly."""
    (tmp_path / "template.yaml").write_text(SMALL)
    return tmp_path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of this template with a function that it does not have."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(TEMPLATE, folder / "template.yaml")
    link_definitions(folder)
    add(NewFunction.parse(*ADDED), folder)
    return folder


def added(root: Path, name: str = "Orders", route: str = "GET /orders") -> list[str]:
    files = add(NewFunction.parse(name, route), root)
    return [file.relative_to(root).as_posix() for file in files]


def handler(root: Path) -> Any:
    spec = importlib.util.spec_from_file_location("orders", root / "orders_function/lambda_handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.lambda_handler


def test_it_writes_the_template_a_handler_a_fixture_and_a_test(root: Path) -> None:
    assert added(root) == [
        "template.yaml",
        "events/orders/get_orders.json",
        "orders_function/lambda_handler.py",
        "tests/unit/orders_function/test_lambda_handler.py",
    ]


def test_nothing_of_the_template_changes_but_what_is_added(shop: Path) -> None:
    text = (shop / "template.yaml").read_text()
    start, end = text.index("  # " + "-" * 115 + "\n  # TESTED"), text.index("\nOutputs:")
    assert text[:start] + text[end + 1 :] == TEMPLATE.read_text()


def test_the_function_answers_its_route_and_logs_as_the_others_do(shop: Path) -> None:
    template = Template.load(shop / "template.yaml")
    (route,) = [route for route in template.routes if route.function == "TestedAdditionFunction"]
    assert (route.method, route.path) == ("GET", "/tested-addition")
    assert template.functions["TestedAdditionFunction"].code_uri == shop / "tested_addition_function"
    assert "AWS_LAMBDA_MAX_CONCURRENCY" in template.functions["TestedAdditionFunction"].environment
    properties = template.declared_resources["TestedAdditionFunction"]["Properties"]
    others = template.declared_resources["InventoryFunction"]["Properties"]
    assert properties["LoggingConfig"]["LogFormat"] == others["LoggingConfig"]["LogFormat"] == "JSON"
    declared = template.declared_resources
    assert declared["TestedAdditionLogs"] == declared["InventoryLogs"]


def test_the_handler_answers_the_fixture(root: Path) -> None:
    added(root, route="PUT /orders/{id}")
    event = json.loads((root / "events/orders/put_orders_id.json").read_text())
    assert event["pathParameters"] == {"id": "example-id"}
    answer = handler(root)(event, None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"route": "PUT /orders/{id}"})


def test_a_template_without_the_shops_parameters_gets_what_it_has(root: Path) -> None:
    added(root)
    text = (root / "template.yaml").read_text()
    assert "ShopApi" not in text
    assert "RetentionInDays: 30" in text
    assert text.index("OrdersLogs") < text.index("# What it gives.") < text.index("Outputs:")


def test_two_can_be_added(root: Path) -> None:
    added(root)
    assert added(root, "Returns", "POST /returns")[1] == "events/returns/post_returns.json"
    assert {"OrdersFunction", "ReturnsFunction"} <= set(Template.load(root / "template.yaml").functions)


@pytest.mark.parametrize(
    ("name", "route", "sentence"),
    [
        ("orders", "GET /orders", "'orders' is no name of a function: write up to 40 letters"),
        ("", "GET /orders", "'' is no name of a function"),
        ("Or-ders", "GET /orders", "'Or-ders' is no name of a function"),
        ("O" * 41, "GET /orders", "is no name of a function"),
        ("Orders", "orders", "'orders' is no route: write a method and a path"),
        ("Orders", "get /orders", "is no route"),
        ("Orders", "FETCH /orders", "is no route"),
        ("Orders", "GET orders", "is no route"),
        ("Orders", 'GET /orders"', "is no route"),
        ("Orders", "GET /orders?limit=2", "is no route"),
        ("Orders", "GET /{id", "is no route"),
        ("Greeting", "GET /orders", "template.yaml has GreetingFunction already: choose another name."),
        ("GreetingFunction", "GET /orders", "template.yaml has GreetingFunction already"),
        ("Orders", "GET /hello/{name}", "GreetingFunction answers GET /hello/{name} already: choose another route."),
        ("Orders", "GET /hello/{id}", "GreetingFunction answers GET /hello/{name} already"),
        ("Orders", "ANY /hello/{id}", "GreetingFunction answers"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_leaves_nothing(
    name: str, route: str, sentence: str, root: Path
) -> None:
    with pytest.raises(NewFunctionError) as refusal:
        added(root, name, route)
    assert sentence in str(refusal.value)
    assert [path.name for path in root.iterdir()] == ["template.yaml"]
    assert (root / "template.yaml").read_text() == SMALL


def test_a_folder_that_is_there_is_not_written_to(root: Path) -> None:
    (root / "orders_function").mkdir()
    with pytest.raises(NewFunctionError, match=r"orders_function/ is there already: choose another name"):
        added(root)


def test_a_fixture_that_is_there_takes_the_rest_back(root: Path) -> None:
    fixture = root / "events/orders/get_orders.json"
    fixture.parent.mkdir(parents=True)
    fixture.write_text("{}")
    with pytest.raises(NewFunctionError, match="is there already: move it away"):
        added(root)
    assert (root / "template.yaml").read_text() == SMALL
    assert not (root / "orders_function").exists()


def test_a_template_that_cannot_be_added_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "{Transform: AWS::Serverless-2016-10-31, Resources: {Q: {Type: AWS::SQS::Queue}}}\n"
    )
    with pytest.raises(NewFunctionError, match=r'no line "Resources:"'):
        added(tmp_path)


def test_the_command_says_where_everything_is(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(new_function, "REPOSITORY", root)
    assert new_function.main(["Orders", "GET /orders"]) == 0
    assert capsys.readouterr().out.startswith("OrdersFunction answers GET /orders (template.yaml, events/orders/")
    assert new_function.main(["Orders", "GET /orders"]) == 1
    assert capsys.readouterr().err == "template.yaml has OrdersFunction already: choose another name.\n"
