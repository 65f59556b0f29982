from __future__ import annotations

import json

from shopping_bot.chat import tools


def test_there_are_four_tools_and_each_is_described() -> None:
    definitions = tools.definitions()

    assert [definition["name"] for definition in definitions] == [
        "search_products",
        "get_stock",
        "ask_user",
        "recommend",
    ]
    assert all(
        definition["description"] and definition["input_schema"]["type"] == "object" for definition in definitions
    )
    json.dumps(definitions)


def test_a_tool_that_there_is_not() -> None:
    assert "search_products" in tools.mistakes("buy", {})[0]
