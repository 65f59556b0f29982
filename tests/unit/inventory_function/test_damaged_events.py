"""Whatever is in an event, the answer is no failure of the service; what is no HTTP event is refused as that."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from app.config import settings
from botocore.exceptions import ClientError

from lambda_http import aws_clients
from tests.unit.lambda_http.damaged_events import answers_to_damaged_events

ITEM = {"sku": {"S": "A"}, "name": {"S": "a"}, "qty": {"N": "3"}, "version": {"N": "2"}, "created_at": {"S": "t"}}
FORMATS = {"headers", "multiValueHeaders"}


class Aws:
    """A table with one item whatever it is asked for, and a bucket with one file."""

    def get_item(self, Key: Any, **_: Any) -> Any:  # noqa: N803  the API's own name
        return {"Item": {**ITEM, **Key}} if "-" in Key["sku"]["S"] else {}

    def scan(self, **_: Any) -> Any:
        return {"Items": [ITEM]}

    def put_item(self, **_: Any) -> Any:
        return {}

    def delete_item(self, **_: Any) -> Any:
        return {}

    def transact_write_items(self, **_: Any) -> Any:
        return {}

    def update_item(self, **_: Any) -> Any:
        return {"Attributes": ITEM}

    def head_object(self, Key: str, **_: Any) -> Any:  # noqa: N803  as above
        if Key != "sample.txt":
            response: Any = {"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(response, "HeadObject")
        return {"ETag": '"e"', "ContentLength": 3, "LastModified": datetime.now(UTC)}

    def get_object(self, **_: Any) -> Any:
        return {"Body": io.BytesIO(b"abc")}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("REQUIRE_API_KEY", "false")
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    settings.cache_clear()
    for service in ("dynamodb", "s3"):
        monkeypatch.setattr(aws_clients, service, Aws)
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("aws")
def test_damaged_events_are_answered_or_refused() -> None:
    from app.lambda_handler import lambda_handler

    statuses: Counter[int | None] = Counter()
    for event, answer in answers_to_damaged_events("inventory", lambda_handler):
        status = answer and answer["statusCode"]
        statuses[status] += 1
        assert status is None or (200 <= status < 500), repr(event)[:2000]
        if answer:
            json.dumps(answer).encode()
            assert FORMATS & set(answer)
    assert {None, 200, 201, 206, 304, 400, 404, 405, 415, 416, 422} <= set(statuses), statuses
