"""A preview names what a deployment would change, what could lose data first."""

from __future__ import annotations

from typing import Any

from pipeline.change_set import change_table


def change(action: str, name: str, **more: str) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::DynamoDB::Table", **more}


def test_what_is_replaced_or_removed_comes_first() -> None:
    table = change_table(
        "shop-staging",
        [
            change("Add", "Added"),
            change("Modify", "Kept", Replacement="False"),
            change("Modify", "Replaced", Replacement="True"),
            change("Modify", "Perhaps", Replacement="Conditional"),
            change("Remove", "Removed"),
        ],
    )
    rows = [line.split(" | ")[1] for line in table.splitlines()[4:]]
    assert rows == ["Perhaps", "Removed", "Replaced", "Added", "Kept"]


def test_no_change_is_a_sentence() -> None:
    assert change_table("shop-staging", []) == "Nothing changes in shop-staging.\n"
