from __future__ import annotations

from decimal import Decimal
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shopping_bot.chat import tools
from shopping_bot.json_schema import check_schema, mistakes

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]*$"},
        "price": {"type": ["number", "null"], "minimum": 0, "exclusiveMaximum": 10},
        "count": {"type": "integer", "exclusiveMinimum": 0, "maximum": 5},
        "kind": {"enum": ["a", "b", 1]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "deep": {"type": "object", "properties": {"flag": {"type": "boolean"}}, "required": ["flag"]},
    },
    "required": ["query"],
    "additionalProperties": False,
}
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 12)
    | st.floats(-2, 12)
    | st.sampled_from(["", "a", "b", "abcd", "A"])
    | st.text(max_size=4)
)
members = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.sampled_from(["flag", "x"]), scalars)
inputs = members | st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), members)


@given(inputs)
def test_it_says_what_the_library_says(value: Any) -> None:
    assert bool(mistakes(value, SCHEMA)) != jsonschema.Draft202012Validator(SCHEMA).is_valid(value)


@given(st.sampled_from([definition["name"] for definition in tools.definitions()]), inputs)
def test_it_says_so_for_every_tool(name: str, value: Any) -> None:
    schema = next(definition["input_schema"] for definition in tools.definitions() if definition["name"] == name)

    assert bool(tools.mistakes(name, value)) != jsonschema.Draft202012Validator(schema).is_valid(value)


def test_the_tools_schemas_use_known_keywords_only() -> None:
    for definition in tools.definitions():
        check_schema(definition["input_schema"])
        jsonschema.Draft202012Validator.check_schema(definition["input_schema"])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "date"},
        {"properties": {"a": {"anyOf": []}}},
        {"items": {"$ref": "#"}},
        {"additionalProperties": {"type": "string"}},
    ],
)
def test_an_unknown_keyword_is_noticed(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Unknown"):
        check_schema(schema)


def test_mistakes_name_the_place_and_not_the_value() -> None:
    found = mistakes({"query": "S3CR3T", "tags": [1], "s3cr3t": 1}, SCHEMA)

    assert "input.tags[0] must be string" in found
    assert "s3cr3t" not in " ".join(found).lower()
    assert mistakes({"query": "a", "price": Decimal("9.99"), "count": Decimal("2.0")}, SCHEMA) == []
    assert mistakes({"query": "a", "count": True}, SCHEMA) == ["input.count must be integer"]
