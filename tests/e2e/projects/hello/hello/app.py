"""The smallest function behind an API."""

import json


def handler(event, context):
    """Greet, and say who runs."""
    return {"statusCode": 200, "body": json.dumps({"message": "hello", "function": context.function_name})}
