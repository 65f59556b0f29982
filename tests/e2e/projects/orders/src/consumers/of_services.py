from typing import Any

from effects import record


def from_bucket(event: dict[str, Any], context: object) -> None:
    for each in event["Records"]:
        record("bucket", each["s3"]["object"]["key"])


def from_rule(event: dict[str, Any], context: object) -> None:
    record("rule", event["detail"]["order"])


def from_schedule(event: dict[str, Any], context: object) -> None:
    record("schedule", event["name"])
