"""What a consumer was given, in a table."""

import os

import boto3

_table = boto3.resource("dynamodb").Table(os.environ["EFFECTS"])


def record(kind: str, name: str) -> None:
    """Keep that an event of `kind` brought `name`; raise ValueError for the name `poison`."""
    if name == "poison":
        raise ValueError(f"{kind} brought poison")
    _table.put_item(Item={"id": f"{kind} {name}"})
