"""`sam local start-lambda` after `eval "$(make env)"`: the functions are invoked as Lambda's Invoke does, by boto3."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.aws.clients import Clients
from sam_template.repository import SAMCONFIG
from tests.events import load_event

FUNCTIONS = {
    "InventoryFunction": ("inventory/root.json", "The inventory service is running"),
    "ShopbotFunction": ("shopbot/health.json", "ok"),
}


def test_samconfig_says_for_it_what_it_says_for_the_api() -> None:
    settings = tomllib.loads(SAMCONFIG.read_text())["default"]
    api, functions = (settings[name]["parameters"] for name in ("local_start_api", "local_start_lambda"))
    for name in ("env_vars", "host", "no_watch", "skip_pull_image"):
        assert functions[name] == api[name]
    assert functions["port"] != api["port"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_request_response_answers_with_the_emulators_variables_and_role(aws_lambda: Any, function: str) -> None:
    event, expected = FUNCTIONS[function]
    invoked = aws_lambda.invoke(FunctionName=function, Payload=json.dumps(load_event(event)))
    answer = json.loads(invoked["Payload"].read())
    assert invoked["StatusCode"] == 200
    assert "FunctionError" not in invoked
    assert answer["statusCode"] == 200
    assert expected in answer["body"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_exception_is_a_function_error_with_its_type(aws_lambda: Any, function: str) -> None:
    invoked = aws_lambda.invoke(FunctionName=function, Payload=b'{"no": "http event"}')
    error = json.loads(invoked["Payload"].read())
    assert invoked["StatusCode"] == 200
    assert invoked["FunctionError"] == "Unhandled"
    assert error["errorType"] == "UnsupportedEventError"
    assert error["stackTrace"]


def test_an_event_is_taken_at_once_and_has_its_effect(aws_lambda: Any, owner: Clients) -> None:
    put = load_event("inventory/put_item_new.json")
    sku = "START-LAMBDA-1"
    put |= {"rawPath": f"/inventory/{sku}", "pathParameters": {"sku": sku}}
    put["requestContext"]["http"]["path"] = put["rawPath"]
    invoked = aws_lambda.invoke(FunctionName="InventoryFunction", InvocationType="Event", Payload=json.dumps(put))
    assert (invoked["StatusCode"], invoked["Payload"].read()) == (202, b"")
    (table,) = (name for name in owner.dynamodb.list_tables()["TableNames"] if "ShopInventory" in name)
    deadline = time.monotonic() + 60
    while "Item" not in owner.dynamodb.get_item(TableName=table, Key={"sku": {"S": sku}}, ConsistentRead=True):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    owner.dynamodb.delete_item(TableName=table, Key={"sku": {"S": sku}})


def test_an_event_for_the_assistant_is_run(aws_lambda: Any, start_lambda_log: Path) -> None:
    before = start_lambda_log.read_text(errors="replace").count("REPORT RequestId")
    event = json.dumps(load_event("shopbot/health.json"))
    invoked = aws_lambda.invoke(FunctionName="ShopbotFunction", InvocationType="Event", Payload=event)
    assert invoked["StatusCode"] == 202
    deadline = time.monotonic() + 60
    while start_lambda_log.read_text(errors="replace").count("REPORT RequestId") == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sam_answers_a_dry_run_with_501_where_lambda_answers_204(aws_lambda: Any, function: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws_lambda.invoke(FunctionName=function, InvocationType="DryRun", Payload=b"{}")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_function_that_is_not_in_the_template_is_not_found(aws_lambda: Any) -> None:
    with pytest.raises(ClientError) as refused:
        aws_lambda.invoke(FunctionName="NoSuchFunction", Payload=b"{}")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
