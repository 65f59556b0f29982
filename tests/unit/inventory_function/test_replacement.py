"""A field of any name keeps its value beside the values that a replacement brings itself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from app import replacement, stored_item
from app.conditions import condition
from app.config import settings
from app.models import ItemFields

from lambda_http import aws_clients

OWN = ("now", "one", "zero", "text", "number", "m0v", "m0c", "n0v", "spoilt_version", "spoilt_created_at")
FIELDS = {name: {"S": f"the field {name}"} for name in OWN}


class Table:
    """Takes every update, each time over an item whose version another writer has spoilt, if told to."""

    def __init__(self, old: dict[str, Any]) -> None:
        self.old = old
        self.requests: list[dict[str, Any]] = []

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {"Attributes": self.old}


@pytest.mark.parametrize("old", [{}, {"sku": {"S": "A"}, "version": {"N": "1.5"}}])
def test_no_field_is_taken_for_a_value_of_the_request(monkeypatch: pytest.MonkeyPatch, old: dict[str, Any]) -> None:
    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "inventory")
    monkeypatch.setattr(replacement, "settings", settings.__wrapped__)
    table = Table(old)
    monkeypatch.setattr(aws_clients, "dynamodb", lambda: table)
    monkeypatch.setattr(stored_item, "field_values", lambda _: FIELDS)
    monkeypatch.setattr(stored_item, "read", lambda item: item)
    replacement.replace("A", ItemFields(name="a", qty=1), condition('"1.x"', '"2.y"'))
    assert len(table.requests) == (2 if old else 1), "what is spoilt is begun anew"
    for request in table.requests:
        values = request["ExpressionAttributeValues"]
        written = dict(re.findall(r"#(\w+) = (:\w+)[,\s]", request["UpdateExpression"]))
        assert {name: values[written[name]] for name in OWN} == FIELDS
        assert (values[":one"], values[":m0v"], values[":n0v"]) == ({"N": "1"}, {"N": "1"}, {"N": "2"})
        assert set(re.findall(r":\w+", request["UpdateExpression"] + request["ConditionExpression"])) == set(values)
