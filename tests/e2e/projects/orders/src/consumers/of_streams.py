import base64
from typing import Any

from effects import record


def from_table(event: dict[str, Any], context: object) -> None:
    for change in event["Records"]:
        record("table", change["dynamodb"]["NewImage"]["id"]["S"])


def from_stream(event: dict[str, Any], context: object) -> None:
    for each in event["Records"]:
        record("stream", base64.b64decode(each["kinesis"]["data"]).decode())
