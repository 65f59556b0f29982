"""Invoke at the AWS endpoint runs the function in the engine, with its own role and limits."""

from __future__ import annotations

import json
import time

from emulator.aws.clients import Clients
from emulator.aws.resource_type import generated_name
from tests.events import load_event

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


def test_an_asynchronous_event_is_taken_at_once_and_has_its_effect(owner: Clients) -> None:
    event = load_event("inventory/create_item.json")
    sku = json.loads(event["body"])["sku"]
    gone = json.dumps(load_event("inventory/delete_item.json") | {"rawPath": f"/inventory/{sku}"}).encode()
    functions = owner.named("lambda")
    payload = json.dumps(event).encode()
    answer = functions.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=payload)
    assert answer["StatusCode"] == 202
    read = json.dumps(load_event("inventory/get_item.json") | {"rawPath": f"/inventory/{sku}"}).encode()
    deadline = time.monotonic() + 60
    while json.load(functions.invoke(FunctionName=FUNCTION, Payload=read)["Payload"])["statusCode"] != 200:
        assert time.monotonic() < deadline, "it had no effect"
        time.sleep(0.1)
    functions.invoke(FunctionName=FUNCTION, Payload=gone)
