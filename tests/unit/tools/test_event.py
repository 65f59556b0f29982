"""`make event` writes an event like those that AWS sends, for a route of the template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sam_template import Route, Template
from sam_template.repository import REPOSITORY, TEMPLATE
from tools import event
from tools.event import RouteError, event_for, file_name, find_route, folder_of

REST = """
Transform: AWS::Serverless-2016-10-31
Resources:
  BigOrders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      CodeUri: .
      Events:
        Get: {Type: Api, Properties: {Method: GET, Path: "/orders/{id}"}}
        Files: {Type: Api, Properties: {Method: ANY, Path: "/files/{proxy+}"}}
"""


@pytest.fixture(scope="module")
def shop() -> Template:
    return Template.load(TEMPLATE)


@pytest.fixture
def rest(tmp_path: Path) -> Template:
    path = tmp_path / "template.yaml"
    path.write_text(REST)
    return Template.load(path)


def made(template: Template, text: str, body: str | None = None) -> dict[str, Any]:
    return event_for(template, *find_route(template, text, body))


def committed(name: str) -> dict[str, Any]:
    fixture: dict[str, Any] = json.loads((REPOSITORY / "events" / f"{name}.json").read_text())
    return fixture


def shape(value: Any) -> Any:
    """Return a tree with the kinds of its leaves."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    return type(value).__name__


@pytest.mark.parametrize(
    ("text", "fixture"),
    [
        ("GET /inventory/CHIPS-BEET-80G", "inventory/get_item"),
        ("DELETE /inventory/{sku}", "inventory/delete_item"),
        ("GET /health", "shopbot/health"),
    ],
)
def test_it_has_the_shape_of_one_that_aws_sent(shop: Template, text: str, fixture: str) -> None:
    assert shape(made(shop, text)) == shape(committed(fixture))


def test_one_of_a_rest_api_too(rest: Template) -> None:
    sent = committed("inventory/rest/get_item")
    sent["pathParameters"] = {"id": "7"}
    assert shape(made(rest, "GET /orders/7")) == shape(sent)


def test_the_path_is_what_a_caller_sends(shop: Template) -> None:
    sent = made(shop, "GET /file/download/price%20list.csv?version=2")
    assert (sent["rawPath"], sent["rawQueryString"]) == ("/file/download/price list.csv", "version=2")
    assert sent["pathParameters"] == {"filename": "price list.csv"}
    assert sent["queryStringParameters"] == {"version": "2"}


def test_a_parameter_that_is_left_open_gets_an_example(shop: Template) -> None:
    assert made(shop, "GET /inventory/{sku}")["pathParameters"] == {"sku": "example-sku"}


def test_a_method_that_carries_something_gets_a_body(shop: Template) -> None:
    sent = made(shop, "POST /inventory", '{"sku": "A"}')
    assert (sent["body"], sent["headers"]["content-length"]) == ('{"sku": "A"}', "12")
    assert made(shop, "POST /inventory")["body"] == "{}"
    assert "body" not in made(shop, "GET /inventory")


def test_what_no_other_route_gets_is_the_default_routes(shop: Template) -> None:
    sent = made(shop, "POST /chat")
    assert (sent["routeKey"], sent["rawPath"]) == ("$default", "/chat")
    assert "pathParameters" not in sent


def test_a_greedy_parameter_takes_the_rest_of_the_path(rest: Template) -> None:
    sent = made(rest, "PUT /files/a/b.txt")
    assert (sent["resource"], sent["pathParameters"]) == ("/files/{proxy+}", {"proxy": "a/b.txt"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("orders", "write a method and a path"),
        ("get /orders", "write a method and a path"),
        (
            "GET /nothing",
            r"no route for GET /nothing; it has ANY /files/\{proxy\+\}, GET /orders/\{id\}\.",
        ),
    ],
)
def test_what_is_no_route_is_one_sentence(rest: Template, text: str, sentence: str) -> None:
    with pytest.raises(RouteError, match=sentence):
        find_route(rest, text)


@pytest.mark.parametrize(
    ("function", "folder"), [("InventoryFunction", "inventory"), ("BigOrders", "big_orders"), ("Function", "function")]
)
def test_a_function_has_a_folder_of_its_own(function: str, folder: str) -> None:
    assert folder_of(function) == folder


def test_a_file_is_named_for_the_route(shop: Template) -> None:
    route, request = find_route(shop, "GET /inventory/7")
    assert route == Route("GET", "/inventory/{sku}", "InventoryFunction")
    assert file_name(request, route) == "get_inventory_sku"


class TestCommand:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(event, "EVENTS", tmp_path)
        return tmp_path

    def test_it_writes_the_file_and_says_how_to_use_it(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert event.main(["DELETE /inventory/{sku}"]) == 0
        file = folder / "inventory" / "delete_inventory_sku.json"
        assert json.loads(file.read_text())["routeKey"] == "DELETE /inventory/{sku}"
        assert f"make invoke FUNCTION=InventoryFunction EVENT={file}" in capsys.readouterr().out

    def test_it_overwrites_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert event.main(["GET /docs"]) == 0
        assert event.main(["GET /docs"]) == 1
        assert "is there already" in capsys.readouterr().err
