from random import randint
from typing import Any


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Check the price of a stock: here a random number."""
    return {"stock_price": randint(0, 100)}
