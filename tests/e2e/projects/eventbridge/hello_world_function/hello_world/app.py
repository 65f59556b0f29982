import os
from typing import Any

import boto3
from model.aws.ec2.ec2_instance_state_change_notification import StateChange

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    change = StateChange.unmarshall(event)
    table.put_item(Item={"id": change.instance_id, "state": change.state})
    event["detail-type"] = "HelloWorldFunction updated event of " + event["detail-type"]
    return event
