"""The assistant as such services are usually brought to Lambda: what it may need is imported and connected at import.

The vendors' own clients of Claude, Elasticsearch and Redis, boto3's resource, Powertools' Logger, Tracer and Metrics
around the handler. The conversation is a loop over the same tools as the service's, without its checks.
"""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

import json
import os
import uuid
from typing import Any

import anthropic
import boto3
import redis
import serverless_wsgi  # type: ignore[import-untyped]
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from elasticsearch import Elasticsearch
from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

logger = Logger()
tracer = Tracer()
metrics = Metrics()

MAXIMUM_ROUNDS = 4
SYSTEM = "You are the assistant of a shop. Search before you recommend, and recommend only what a search returned."
TOOLS: list[Any] = [
    {
        "name": "search_products",
        "description": "Find products of the shop, with their price and stock.",
        "input_schema": {
            "type": "object",
            "properties": {"query": {"type": "string"}, "size": {"type": "integer"}},
            "required": ["query"],
        },
    },
    {
        "name": "get_stock",
        "description": "Say how many there are right now of products whose SKU is known.",
        "input_schema": {
            "type": "object",
            "properties": {"skus": {"type": "array", "items": {"type": "string"}}},
            "required": ["skus"],
        },
    },
    {
        "name": "recommend",
        "description": "Show products to the customer. Ends your turn.",
        "input_schema": {
            "type": "object",
            "properties": {
                "skus": {"type": "array", "items": {"type": "string"}},
                "summary": {"type": "string"},
                "quick_replies": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["skus", "summary"],
        },
    },
]

secrets_manager = boto3.client("secretsmanager")
keys: dict[str, str] = json.loads(
    secrets_manager.get_secret_value(SecretId=os.environ["SECRETS_MANAGER_SECRET"])["SecretString"]
)
dynamodb = boto3.resource("dynamodb")
claude = anthropic.Anthropic(api_key=keys["ANTHROPIC_API_KEY"], base_url=os.environ["ANTHROPIC_BASE_URL"])
elasticsearch = Elasticsearch(os.environ["ES_URL"], api_key=keys.get("ES_API_KEY") or None)
conversations = redis.Redis(
    host=os.environ["REDIS_HOST"],
    port=int(os.environ["REDIS_PORT"]),
    password=keys.get("REDIS_PASSWORD") or None,
    ssl=os.environ.get("REDIS_TLS") == "true",
    decode_responses=True,
)
conversations.ping()

app = Flask(__name__)


@app.get("/health")
def health() -> ResponseReturnValue:
    """Say that the service is alive."""
    return jsonify(status="ok", service="shopbot")


@app.get("/health/ready")
def ready() -> ResponseReturnValue:
    """Say whether the backing services answer."""
    return jsonify(redis=bool(conversations.ping()), elasticsearch=bool(elasticsearch.ping()))


@app.post("/products/search")
def search() -> ResponseReturnValue:
    """Search for products."""
    products = find(request.get_json()["query"])
    return jsonify(products=products, returned=len(products))


@app.post("/chat")
def chat() -> ResponseReturnValue:
    """Answer a message of a customer."""
    body = request.get_json()
    session_id = body.get("session_id") or uuid.uuid4().hex
    key = f"conversation:{body['user_id']}:{session_id}"
    messages: list[Any] = [json.loads(turn) for turn in conversations.lrange(key, 0, -1)]
    before = len(messages)
    messages.append({"role": "user", "content": body["message"]})
    content = converse(messages)
    with conversations.pipeline() as pipeline:
        for message in messages[before:]:
            pipeline.rpush(key, json.dumps(message, default=str))
        pipeline.expire(key, 3600)
        pipeline.execute()
    return jsonify(session_id=session_id, response_type="final_answer", content=content)


@app.delete("/chat/<session_id>")
def forget(session_id: str) -> ResponseReturnValue:
    """Forget a conversation."""
    conversations.delete(f"conversation:{request.args['user_id']}:{session_id}")
    return jsonify(status="deleted")


@app.errorhandler(Exception)
def failed(error: Exception) -> ResponseReturnValue:
    """Answer what nobody expected."""
    logger.error("The request failed", exc_info=error)
    return Response(json.dumps({"detail": type(error).__name__}), status=500, content_type="application/json")


@tracer.capture_method
def converse(messages: list[Any]) -> dict[str, Any]:
    """Ask Claude until it recommends something or has no more to look up, appending to `messages`."""
    found: dict[str, Any] = {}
    for _ in range(MAXIMUM_ROUNDS):
        answer = claude.messages.create(
            model=os.environ["CLAUDE_MODEL"], max_tokens=1024, system=SYSTEM, tools=TOOLS, messages=messages
        )
        messages.append({"role": "assistant", "content": [block.to_dict() for block in answer.content]})
        results: list[Any] = []
        for block in answer.content:
            if block.type != "tool_use":
                continue
            given: Any = block.input
            if block.name == "recommend":
                results.append(result(block.id, {"shown": given["skus"]}))
                messages.append({"role": "user", "content": results})
                products = [found[sku] for sku in given["skus"] if sku in found]
                return {"summary_message": given["summary"], "products": products}
            if block.name == "search_products":
                products = find(given["query"], given.get("size", 10))
                found |= {product["sku"]: product for product in products}
                results.append(result(block.id, {"products": products}))
            else:
                results.append(result(block.id, {"stock": stock(given["skus"])}))
        if not results:
            text = "".join(block.text for block in answer.content if block.type == "text")
            return {"summary_message": text, "products": []}
        messages.append({"role": "user", "content": results})
    return {"summary_message": "Here is what I found.", "products": list(found.values())}


@tracer.capture_method
def find(query: str, size: int = 10) -> list[dict[str, Any]]:
    """Return the best products, with their stock."""
    answer = elasticsearch.search(
        index=os.environ["ES_INDEX"],
        query={"multi_match": {"query": query, "fields": ["name^3", "brand^2", "description"]}},
        size=size,
    )
    products = [hit["_source"] for hit in answer["hits"]["hits"]]
    rows = {row["sku"]: row for row in stock([product["sku"] for product in products])} if products else {}
    return [{**product, **rows.get(product["sku"], {"stock": 0})} for product in products]


@tracer.capture_method
def stock(skus: list[str]) -> list[dict[str, Any]]:
    """Return what the inventory says of the SKUs."""
    table = os.environ["TABLE_NAME"]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": [{"sku": sku} for sku in skus]}})
    return [
        {"sku": str(row["sku"]), "stock": int(str(row["qty"])), "price": float(str(row.get("price", 0)))}
        for row in answer["Responses"][table]
    ]


def result(tool_use_id: str, content: Any) -> dict[str, Any]:
    """Return the result of a tool as the Messages API takes it."""
    return {"type": "tool_result", "tool_use_id": tool_use_id, "content": json.dumps(content, default=str)}


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Answer one request."""
    answer = serverless_wsgi.handle_request(app, event, context)
    metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
    logger.info("Answered", extra={"status": answer["statusCode"]})
    return answer
