import json
from typing import Any

import requests


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return {
        "statusCode": 200,
        "body": json.dumps({"message": "hello world", "requests": requests.__version__}),
    }
