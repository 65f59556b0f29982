from datetime import UTC, datetime
from random import randint
from typing import Any
from uuid import uuid4


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Return the transaction of a stock that this function claims to buy."""
    return {
        "id": str(uuid4()),
        "price": str(event["stock_price"]),
        "type": "buy",
        "qty": str(randint(1, 10)),
        "timestamp": datetime.now(UTC).isoformat(),
    }
