"""The inventory as such services are usually brought to Lambda: what it may need is imported and connected at import.

The same routes and the same stored items as the service, by the libraries' own examples: boto3's resource, a client for
each service, Powertools' Logger, Tracer and Metrics around the handler.
"""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError
from fastapi import FastAPI, Header, HTTPException, Query, Response
from fastapi.middleware.cors import CORSMiddleware
from mangum import Mangum
from pydantic import BaseModel, ConfigDict, Field

logger = Logger()
tracer = Tracer()
metrics = Metrics()

dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table(os.environ["TABLE_NAME"])
s3 = boto3.client("s3")
secrets = boto3.client("secretsmanager")
api_key = json.loads(secrets.get_secret_value(SecretId=os.environ["SECRETS_MANAGER_SECRET"])["SecretString"])

app = FastAPI(title="Shop inventory", version="1.0.0")
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])


class Fields(BaseModel):
    """What an item is described by."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    qty: int = Field(ge=0, le=1_000_000_000)
    price: Decimal | None = Field(default=None, ge=0, decimal_places=2)
    category: str | None = None
    description: str | None = None


class NewItem(Fields):
    """An item to be created."""

    sku: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")


class Adjustment(BaseModel):
    """A change of the quantity."""

    delta: int


def check_key(given: str | None) -> None:
    """Refuse a write without the key, where one is asked for."""
    if os.environ.get("REQUIRE_API_KEY") == "true" and given != api_key["INVENTORY_API_KEY"]:
        raise HTTPException(401, "The API key is missing or wrong.")


ApiKey = Annotated[str | None, Header(alias="x-api-key")]


@app.get("/")
def read_status() -> dict[str, str]:
    """Say that the service runs."""
    return {"status": "ok", "message": "The inventory service is running; see /docs.", "service": "inventory"}


@app.post("/inventory", status_code=201)
@tracer.capture_method
def create_item(item: NewItem, x_api_key: ApiKey = None) -> dict[str, Any]:
    """Create an item."""
    check_key(x_api_key)
    stored = stored_form(item)
    try:
        table.put_item(Item=stored, ConditionExpression=Attr("sku").not_exists())
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise HTTPException(409, f"There is already an item {item.sku}.") from error
        raise
    return {"status": "created", "item": stored}


@app.get("/inventory")
@tracer.capture_method
def list_items(limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: str | None = None) -> dict[str, Any]:
    """List the items."""
    page = table.scan(Limit=limit, ExclusiveStartKey={"sku": cursor}) if cursor else table.scan(Limit=limit)
    last = page.get("LastEvaluatedKey")
    return {"items": page["Items"], "next_cursor": last["sku"] if last else None}


@app.get("/inventory/{sku}")
@tracer.capture_method
def read_item(sku: str) -> dict[str, Any]:
    """Read one item."""
    found = table.get_item(Key={"sku": sku}, ConsistentRead=True)
    if "Item" not in found:
        raise HTTPException(404, f"There is no item {sku}.")
    return dict(found["Item"])


@app.put("/inventory/{sku}")
@tracer.capture_method
def replace_item(sku: str, fields: Fields, x_api_key: ApiKey = None) -> dict[str, Any]:
    """Replace an item, or create it."""
    check_key(x_api_key)
    stored = stored_form(NewItem(sku=sku, **fields.model_dump()))
    table.put_item(Item=stored)
    return stored


@app.post("/inventory/{sku}/adjustments")
@tracer.capture_method
def adjust_item(sku: str, adjustment: Adjustment, x_api_key: ApiKey = None) -> dict[str, Any]:
    """Change the quantity; it never goes below zero."""
    check_key(x_api_key)
    try:
        changed = table.update_item(
            Key={"sku": sku},
            UpdateExpression="ADD qty :delta",
            ConditionExpression=Attr("sku").exists() & Attr("qty").gte(max(0, -adjustment.delta)),
            ExpressionAttributeValues={":delta": adjustment.delta},
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise HTTPException(409, f"There is no {sku}, or not as much of it.") from error
        raise
    return dict(changed["Attributes"])


@app.delete("/inventory/{sku}")
@tracer.capture_method
def delete_item(sku: str, x_api_key: ApiKey = None) -> dict[str, str]:
    """Delete an item."""
    check_key(x_api_key)
    table.delete_item(Key={"sku": sku})
    return {"status": "deleted", "sku": sku}


@app.get("/file/download/{filename}")
@tracer.capture_method
def download(filename: str) -> Response:
    """Return a file of the bucket."""
    try:
        found = s3.get_object(Bucket=os.environ["S3_BUCKET"], Key=filename)
    except s3.exceptions.NoSuchKey as error:
        raise HTTPException(404, f"There is no file {filename}.") from error
    return Response(found["Body"].read(), media_type=found["ContentType"])


def stored_form(item: NewItem) -> dict[str, Any]:
    """Return the item as it is stored."""
    now = datetime.now(UTC).isoformat()
    return {**item.model_dump(exclude_none=True), "version": 1, "created_at": now, "updated_at": now}


mangum = Mangum(app, lifespan="off")


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    answer = mangum(event, context)  # type: ignore[arg-type]
    metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    logger.info("Answered", extra={"status": answer["statusCode"]})
    return answer
