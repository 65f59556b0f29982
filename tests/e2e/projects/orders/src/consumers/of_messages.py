from typing import Any

from effects import record


def from_queue(event: dict[str, Any], context: object) -> dict[str, Any]:
    failures = []
    for message in event["Records"]:
        try:
            record("queue", message["body"])
        except ValueError:
            failures.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failures}


def from_topic(event: dict[str, Any], context: object) -> None:
    for each in event["Records"]:
        record("topic", each["Sns"]["Message"])
