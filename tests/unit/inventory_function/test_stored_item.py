from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from app import conditions
from app.http_headers import parse_tags
from app.models import Item, ItemFields, NewItem
from app.stored_item import UnreadableItemError, _stored_type, entity_tag, field_values, is_well_kept, read

MINIMUM = {"sku": {"S": "A"}, "name": {"S": "a"}, "qty": {"N": "3"}}


def test_what_is_stored_is_read_again() -> None:
    new = NewItem(sku="A", name="a", qty=3, price=Decimal("19.9"), category="c", description="d")

    item = read({"sku": {"S": "A"}, **field_values(new)})

    assert item.members() == {
        "sku": "A",
        "name": "a",
        "qty": 3,
        "price": Decimal("19.90"),
        "category": "c",
        "description": "d",
        "version": 0,
    }


def test_every_field_that_a_client_decides_is_answered() -> None:
    assert [name for name in ItemFields.model_fields if name not in Item.model_fields] == []


def test_a_field_that_no_attribute_can_hold_is_refused() -> None:
    for annotation in (list[str], bool, dict[str, str] | None):
        with pytest.raises(TypeError, match=r"tags is .*stores str, int and Decimal"):
            _stored_type("tags", annotation)


def test_the_price_gets_back_the_zeros_that_the_table_drops() -> None:
    assert str(read({**MINIMUM, "price": {"N": "19.9"}}).price) == "19.90"
    assert str(read({**MINIMUM, "price": {"N": "1E+2"}}).price) == "100.00"


def test_what_another_writer_stored_is_shown_as_it_is() -> None:
    assert str(read({**MINIMUM, "price": {"N": "0.001"}, "brand": {"S": "b"}}).price) == "0.001"
    assert str(entity_tag(read(MINIMUM))) == '"0."'


TEXT, NUMBER, NULL, ODD = {"S": "20"}, {"N": "20"}, {"NULL": True}, {"L": [{"S": "x"}]}


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        # What DynamoDB's import of a CSV file makes of every column
        ({"qty": TEXT, "price": {"S": "99.00"}}, "qty is not a number"),
        ({"price": {"S": "99.00"}}, "price is not a number"),
        ({"version": TEXT}, "version is not a number"),
        ({"qty": {"N": "1.5"}}, "qty is not a whole number"),
        ({"version": {"N": "0.5"}}, "version is not a whole number"),
        ({"name": None}, "it has no name"),
        ({"qty": None}, "it has no qty"),
        *[({name: NULL}, f"{name} is not a") for name in ("name", "qty", "version", "created_at", "updated_at")],
        *[({name: ODD}, f"{name} is not a") for name in ("name", "qty", "price", "category", "description", "version")],
        *[({name: NUMBER}, f"{name} is not a text") for name in ("name", "category", "description", "created_at")],
    ],
)
def test_what_another_writer_stored_and_is_no_item_says_what_is_wrong(attributes: dict[str, Any], reason: str) -> None:
    stored = {name: value for name, value in {**MINIMUM, **attributes}.items() if value is not None}

    with pytest.raises(UnreadableItemError) as error:
        read(stored)

    assert reason in error.value.reason
    problem = error.value.problem()
    assert problem.status == 409
    assert problem.detail.startswith(f"The stored item A cannot be read: {reason}")
    assert "PUT the whole item to repair it" in problem.detail


def test_an_optional_field_that_is_null_is_absent() -> None:
    item = read({**MINIMUM, "price": NULL, "category": NULL, "description": NULL})

    assert item.members() == {"sku": "A", "name": "a", "qty": 3, "version": 0}


def test_a_replacement_can_build_on_a_version_and_a_time_of_its_own_kind() -> None:
    assert is_well_kept(MINIMUM)
    assert is_well_kept({**MINIMUM, "qty": TEXT, "version": NUMBER, "created_at": TEXT})
    for spoilt in ({"version": TEXT}, {"version": NULL}, {"version": {"N": "1.5"}}, {"created_at": NUMBER}):
        assert not is_well_kept({**MINIMUM, **spoilt})


@pytest.mark.parametrize("created_at", ["2026-11-21T20:00:00.000001Z", "21 Nov", '"', "\r\n", "कल", ""])
def test_an_entity_tag_is_one_whatever_the_time_of_creation_is(created_at: str) -> None:
    tag = str(entity_tag(read({**MINIMUM, "version": {"N": "3"}, "created_at": {"S": created_at}})))

    (parsed,) = parse_tags(tag).tags
    assert str(parsed) == tag
    condition = conditions.condition(tag, None)
    assert condition is not None
    assert condition.values.get(":m0c", {"S": ""}) == {"S": created_at}


def test_the_entity_tag_does_not_change_with_the_time_that_an_adjustment_writes_later() -> None:
    first = read({**MINIMUM, "created_at": {"S": "t"}, "updated_at": {"S": "u"}})
    later = read({**MINIMUM, "created_at": {"S": "t"}, "updated_at": {"S": "v"}})

    assert entity_tag(first) == entity_tag(later)
