"""POST /orders: keep the order, and put it into the queue."""

import json
import os
from typing import Any

import boto3
import idna

orders = boto3.resource("dynamodb").Table(os.environ["ORDERS"])
queue = boto3.client("sqs")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    order = json.loads(event["body"])
    orders.put_item(Item=order)
    queue.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=order["id"])
    host = idna.encode("bücher.example").decode()
    return {"statusCode": 201, "body": json.dumps({"greeting": os.environ["GREETING"], "host": host})}
