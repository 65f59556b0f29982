"""The model works with the tools that it gets, whatever their fields are called, and mends what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.backing_services.anthropic.model import answer
from emulator.backing_services.anthropic.reply import Text, ToolCall
from tests.unit.emulator.backing_services.anthropic.shop import TOOLS, product

OTHER_TOOLS = [
    {
        "name": "search_products",
        "input_schema": {
            "type": "object",
            "properties": {
                "keywords": {"type": "string"},
                "max_price": {"type": "integer", "maximum": 5000},
                "diets": {"type": "array", "items": {"enum": ["VEGAN", "Gluten Free"]}},
                "channel": {"type": "string", "enum": ["web", "phone"]},
            },
            "required": ["keywords", "channel"],
        },
    },
    {
        "name": "recommend",
        "input_schema": {
            "type": "object",
            "properties": {
                "products": {
                    "type": "array",
                    "maxItems": 2,
                    "items": {
                        "type": "object",
                        "properties": {"product_id": {"type": "string"}},
                        "required": ["product_id"],
                    },
                },
                "summary_message": {"type": "string", "maxLength": 20},
                "quick_replies": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"label": {}, "value": {}},
                        "required": ["label", "value"],
                    },
                },
            },
            "required": ["products"],
        },
    },
]


def turn(*rounds: tuple[str, Any, bool], said: str = "vegan chips under 99.50") -> list[dict[str, Any]]:
    """Return messages: what the customer said, and each call's name with what came back of it."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": said}]
    for number, (name, result, is_error) in enumerate(rounds):
        use = {
            "type": "tool_use",
            "id": f"t{number}",
            "name": name,
            "input": {"query": "chips", "skus": ["CHIPS-BEET-80G"]},
        }
        block = {
            "type": "tool_result",
            "tool_use_id": f"t{number}",
            "content": json.dumps(result),
            "is_error": is_error,
        }
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [block]}]
    return messages


def only_call(messages: list[dict[str, Any]], tools: Any = TOOLS, **request: Any) -> ToolCall:
    (call,) = answer({"tools": tools, "messages": messages, **request})
    assert isinstance(call, ToolCall)
    return call


def only_text(messages: list[dict[str, Any]], tools: Any = TOOLS, **request: Any) -> str:
    (text,) = answer({"tools": tools, "messages": messages, **request})
    assert isinstance(text, Text)
    return text.text


def test_fields_enums_and_limits_come_from_the_schema() -> None:
    call = only_call(turn(), OTHER_TOOLS)
    assert call.input == {"keywords": "chips", "max_price": 99, "diets": ["VEGAN"], "channel": "web"}
    found = {"results": [{"product_id": f"P{number}", "name": f"Chips {number}"} for number in range(4)]}
    call = only_call(turn(("search_products", found, False)), OTHER_TOOLS)
    assert call.input["products"] == [{"product_id": "P0"}, {"product_id": "P1"}]
    assert len(call.input["summary_message"]) == 20
    assert call.input["quick_replies"][0] == {"label": "Cheaper ones", "value": "Cheaper ones"}


def test_without_tools_it_talks() -> None:
    assert "look up products" in only_text(turn(), [])
    assert only_text(turn(), TOOLS, tool_choice={"type": "none"})
    found = {"products": [product("CHIPS-BEET-80G")]}
    told = only_text(turn(("search_products", found, False)), TOOLS[:1])
    assert "- Beetroot Chips with Black Pepper, ₹85.00" in told


@pytest.mark.parametrize("name", [tool["name"] for tool in TOOLS])
def test_a_tool_can_be_demanded(name: str) -> None:
    call = only_call(turn(said="hi"), tool_choice={"type": "tool", "name": name})
    assert call.name == name
    required = next(tool for tool in TOOLS if tool["name"] == name)["input_schema"]["required"]  # type: ignore[index]
    assert set(required) <= set(call.input)


def test_any_tool_can_be_demanded_and_only_one() -> None:
    assert only_call(turn(said="hi"), tool_choice={"type": "any"}).name == "ask_user"
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert only_call(turn(said="chips and biscuits"), tool_choice=choice).input["query"] == "chips"


def test_a_refused_search_is_tried_once_more_in_simple_words() -> None:
    refusal = {"error": "input.price_max must be number"}
    call = only_call(turn(("search_products", refusal, True)))
    assert call.input == {"query": "chips"}
    assert "does not work" in only_text(turn(*[("search_products", refusal, True)] * 2))


def test_a_search_that_is_down_is_said_at_once() -> None:
    down = {"error": "search_products does not work right now; tell the customer so."}
    assert "does not work right now" in only_text(turn(("search_products", down, True)))


def test_a_refused_recommendation_is_mended_without_what_was_refused() -> None:
    found = {"products": [product("CHIPS-BEET-80G"), product("CHIPS-RAGI-100G")]}
    refusal = {"error": "no search returned CHIPS-RAGI-100G"}
    call = only_call(turn(("search_products", found, False), ("recommend", refusal, True)))
    assert call.input["skus"] == ["CHIPS-BEET-80G"]
    unknown = {"error": "there is no such SKU as CHIPS-BEET-80G"}
    assert "could not show" in only_text(turn(("recommend", unknown, True)))


@pytest.mark.parametrize("name", ["recommend", "ask_user"])
def test_a_turn_that_its_tool_did_not_end_is_ended(name: str) -> None:
    assert only_text(turn((name, {"ok": True}, False)))


@pytest.mark.parametrize(
    "result", ["", "no JSON", None, [], {"products": []}, {"products": [{"sku": None}]}, [[1, "x"]]]
)
def test_any_result_is_survived(result: Any) -> None:
    assert only_call(turn(("search_products", result, False))).name == "ask_user"


def test_a_conversation_that_was_shortened_to_texts_still_has_its_wish() -> None:
    messages = [
        {"role": "user", "content": "vegan chips under 100"},
        {"role": "assistant", "content": "Here are some."},
        {"role": "user", "content": "without palm oil"},
    ]
    call = only_call(messages)
    assert call.input == {
        "query": "chips",
        "price_max": 100,
        "dietary_terms": ["vegan"],
        "avoid_ingredients": ["palm oil"],
    }


def test_an_envelope_around_the_message_is_taken_off() -> None:
    for said in ("<customer_message>\nchips\n</customer_message>", '{"message": "chips", "channel": "web"}'):
        assert only_call(turn(said=said)).input == {"query": "chips"}
