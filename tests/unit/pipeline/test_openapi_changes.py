"""Each thing that a client of the older document would miss is named; what only adds is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.openapi_changes import Comparison
from pipeline.released_openapi import RELEASED
from sam_template.repository import REPOSITORY

Change = Callable[[Any], object]


def text(**limits: Any) -> dict[str, Any]:
    return {"type": "string", **limits}


def document() -> dict[str, Any]:
    return {
        "paths": {
            "/items": {
                "get": {
                    "parameters": [
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                        {"name": "sort", "in": "query", "schema": text(enum=["name", "price"])},
                    ],
                    "responses": {
                        "200": {
                            "headers": {"ETag": {"schema": text()}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
                        },
                        "404": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                    },
                },
                "post": {
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewItem"}}}
                    },
                    "responses": {"201": {}},
                },
            },
        },
        "components": {
            "schemas": {
                "Item": {
                    "type": "object",
                    "properties": {
                        "name": text(maxLength=200),
                        "state": text(enum=["new", "sold"]),
                        "note": {"anyOf": [text(), {"type": "null"}]},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
                    },
                    "required": ["name"],
                },
                "NewItem": {
                    "type": "object",
                    "properties": {
                        "name": text(maxLength=200, pattern="^[a-z]*$"),
                        "price": {"anyOf": [{"type": "number"}, text()]},
                        "tags": {"type": "array", "items": text(), "maxItems": 5},
                    },
                    "required": ["name"],
                },
            }
        },
    }


def get(new: Any) -> Any:
    return new["paths"]["/items"]["get"]


def post(new: Any) -> Any:
    return new["paths"]["/items"]["post"]


def item(new: Any) -> Any:
    return new["components"]["schemas"]["Item"]


def new_item(new: Any) -> Any:
    return new["components"]["schemas"]["NewItem"]


def breaks(change: Change) -> list[str]:
    new = copy.deepcopy(document())
    change(new)
    return list(Comparison(document(), new).breaks())


BREAKS: dict[str, tuple[Change, str]] = {
    "path": (lambda new: new["paths"].pop("/items"), "/items: the path is gone"),
    "method": (lambda new: new["paths"]["/items"].pop("post"), "POST /items: the method is gone"),
    "status": (lambda new: get(new)["responses"].pop("404"), "GET /items, answer 404: the status is gone"),
    "header": (
        lambda new: get(new)["responses"]["200"]["headers"].pop("ETag"),
        "GET /items, answer 200: the header ETag is gone",
    ),
    "media type of an answer": (
        lambda new: get(new)["responses"]["404"]["content"].clear(),
        "GET /items, answer 404: application/problem+json is gone",
    ),
    "media type of a body": (
        lambda new: post(new)["requestBody"]["content"].clear(),
        "POST /items, body: application/json is gone",
    ),
    "body": (lambda new: post(new).pop("requestBody"), "POST /items: the body is gone"),
    "body required": (
        lambda new: post(new)["requestBody"].update(required=True),
        "POST /items: the body is required now",
    ),
    "parameter": (lambda new: get(new)["parameters"].pop(0), "GET /items, query parameter limit: is gone"),
    "new required parameter": (
        lambda new: get(new)["parameters"].append({"name": "shop", "in": "header", "required": True}),
        "GET /items, header parameter shop: is required now",
    ),
    "parameter required": (
        lambda new: get(new)["parameters"][0].update(required=True),
        "GET /items, query parameter limit: is required now",
    ),
    "parameter's limit": (
        lambda new: get(new)["parameters"][0]["schema"].update(maximum=50),
        "GET /items, query parameter limit: maximum was 100 and is 50",
    ),
    "parameter's values": (
        lambda new: get(new)["parameters"][1]["schema"].update(enum=["name"]),
        "GET /items, query parameter sort: price is no longer accepted",
    ),
    "credentials": (
        lambda new: get(new).update(security=[{"ApiKey": []}]),
        "GET /items: asks for credentials that it did not ask for",
    ),
    "field of a body": (
        lambda new: new_item(new)["properties"].pop("tags"),
        "POST /items, body: the field tags is gone",
    ),
    "field required": (
        lambda new: new_item(new)["required"].append("price"),
        "POST /items, body: the field price is required now",
    ),
    "other fields": (
        lambda new: new_item(new).update(additionalProperties=False),
        "POST /items, body: other fields are no longer accepted",
    ),
    "length": (
        lambda new: new_item(new)["properties"]["name"].update(maxLength=100),
        "POST /items, body.name: maxLength was 200 and is 100",
    ),
    "new limit": (
        lambda new: new_item(new)["properties"]["name"].update(minLength=1),
        "POST /items, body.name: minLength was None and is 1",
    ),
    "pattern": (
        lambda new: new_item(new)["properties"]["name"].update(pattern="^[a-y]*$"),
        "POST /items, body.name: pattern was ^[a-z]*$ and is ^[a-y]*$",
    ),
    "type of a body": (
        lambda new: new_item(new)["properties"]["price"]["anyOf"].pop(),
        "POST /items, body.price: string is no longer accepted",
    ),
    "items": (
        lambda new: new_item(new)["properties"]["tags"]["items"].update(maxLength=3),
        "POST /items, body.tags[]: maxLength was None and is 3",
    ),
    "field of an answer": (
        lambda new: item(new)["properties"].pop("note"),
        "GET /items, answer 200: the field note is gone",
    ),
    "field may be missing": (
        lambda new: item(new)["required"].clear(),
        "GET /items, answer 200: the field name may be missing now",
    ),
    "value of an answer": (
        lambda new: item(new)["properties"]["state"]["enum"].append("lost"),
        "GET /items, answer 200.state: lost may be answered now",
    ),
    "type of an answer": (
        lambda new: item(new)["properties"]["name"].update(type=["string", "null"]),
        "GET /items, answer 200.name: null may be answered now",
    ),
    "length of an answer": (
        lambda new: item(new)["properties"]["name"].update(maxLength=300),
        "GET /items, answer 200.name: maxLength was 200 and is 300",
    ),
}

ADDITIONS: dict[str, Change] = {
    "nothing": lambda new: None,
    "path": lambda new: new["paths"].update({"/shops": {"get": {"responses": {"200": {}}}}}),
    "optional parameter": lambda new: get(new)["parameters"].append({"name": "page", "in": "query"}),
    "status": lambda new: get(new)["responses"].update({"429": {}}),
    "optional field of a body": lambda new: new_item(new)["properties"].update(size=text()),
    "field of an answer": lambda new: item(new)["properties"].update(size=text()),
    "wider limit of a body": lambda new: new_item(new)["properties"]["name"].update(maxLength=300),
    "narrower limit of an answer": lambda new: item(new)["properties"]["name"].update(maxLength=100),
    "fewer values of an answer": lambda new: item(new)["properties"]["state"].update(enum=["new"]),
    "more values of a parameter": lambda new: get(new)["parameters"][1]["schema"]["enum"].append("date"),
    "number for an integer": lambda new: get(new)["parameters"][0]["schema"].update(type="number"),
    "no longer required": lambda new: new_item(new)["required"].clear(),
    "prose": lambda new: new_item(new)["properties"]["name"].update(title="Name", description="Its name."),
}


@pytest.mark.parametrize(("change", "said"), BREAKS.values(), ids=BREAKS)
def test_a_break_is_named_once(change: Change, said: str) -> None:
    assert breaks(change) == [said]


@pytest.mark.parametrize("change", ADDITIONS.values(), ids=ADDITIONS)
def test_an_addition_breaks_nobody(change: Change) -> None:
    assert breaks(change) == []


def test_the_released_document_breaks_nothing_of_itself() -> None:
    released = json.loads((REPOSITORY / RELEASED).read_text())
    assert list(Comparison(released, released).breaks()) == []
