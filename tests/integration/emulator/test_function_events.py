"""Invoke at the AWS endpoint runs the function in the engine, with its own role and limits."""

from __future__ import annotations

import json

from emulator.aws.clients import Clients
from emulator.aws.resource_type import generated_name
from tests.conftest import load_event

FUNCTION = generated_name("shop-local", "InventoryFunction", 64)


def test_invoke_gets_the_answer_of_the_function(owner: Clients) -> None:
    event = json.dumps(load_event("inventory/get_item.json")).encode()
    answer = owner.named("lambda").invoke(FunctionName=FUNCTION, Payload=event)
    item = json.load(answer["Payload"])
    assert item["statusCode"] == 200
    assert json.loads(item["body"])["sku"] == "CHIPS-BEET-80G"  # read with the function's role


def test_its_alias_is_the_same_function(owner: Clients) -> None:
    event = json.dumps(load_event("inventory/root.json")).encode()
    answer = owner.named("lambda").invoke(FunctionName=FUNCTION, Qualifier="live", Payload=event)
    assert json.load(answer["Payload"])["statusCode"] == 200
