"""What the inventory table says is in stock. The shopbot reads it and never writes it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambda_http import aws_clients
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.observability import logger

BACKING_SERVICE = "dynamodb"
MAXIMUM_KEYS = 100  # of one BatchGetItem (Amazon DynamoDB API Reference, "BatchGetItem")
_MAXIMUM_ROUNDS = 4
_FIRST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class StockEntry:
    """How many there are, and the price in rupees when the inventory has one."""

    qty: int
    price: Decimal | None


class Inventory:
    """Live stock by SKU, from the inventory table."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name

    def quantities(self, skus: Sequence[str]) -> dict[str, StockEntry]:
        """Return the entries of `skus` as of now (a consistent read); a SKU that the table lacks is absent.

        Up to MAXIMUM_KEYS SKUs are one read. Raises BackingServiceError when the table does not answer in full.
        """
        # A key that the table cannot hold would fail the whole batch.
        pending = [{"sku": {"S": sku}} for sku in dict.fromkeys(skus) if 0 < len(sku.encode(errors="replace")) <= 2048]
        found: dict[str, StockEntry] = {}
        pause = _FIRST_PAUSE_SECONDS
        rounds_left = _MAXIMUM_ROUNDS + len(pending) // MAXIMUM_KEYS
        while pending:
            if not rounds_left:
                raise BackingServiceError(BACKING_SERVICE, "the table is busy")
            rounds_left -= 1
            batch, pending = pending[:MAXIMUM_KEYS], pending[MAXIMUM_KEYS:]
            answer = self._read(batch)
            found |= dict(map(_entry, answer["Responses"].get(self._table_name, [])))
            unprocessed = answer.get("UnprocessedKeys", {}).get(self._table_name, {}).get("Keys", [])
            if unprocessed:
                pending = [*unprocessed, *pending]
                # SystemRandom: environments restored from one SnapStart snapshot share the plain generator's state.
                time.sleep(pause * secrets.randbelow(1000) / 1000)
                pause *= 2
        return found

    def _read(self, keys: Sequence[Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        request: Any = {
            self._table_name: {
                "Keys": keys,
                "ConsistentRead": True,
                "ProjectionExpression": "sku, qty, price",
            }
        }
        try:
            with request_metrics.backing_service(BACKING_SERVICE):
                return aws_clients.dynamodb(max_attempts=2).batch_get_item(RequestItems=request)
        except ClientError as error:
            # The code, such as AccessDeniedException; the message may name resources.
            code = error.response.get("Error", {}).get("Code", "refused")
            logger.error("The table could not be read", aws_error=code)
            raise BackingServiceError(BACKING_SERVICE, code) from error
        except BotoCoreError as error:
            raise BackingServiceError(BACKING_SERVICE, type(error).__name__) from error


def _entry(attributes: Any) -> tuple[str, StockEntry]:
    price = attributes.get("price")
    quantity = int(attributes["qty"]["N"]) if "qty" in attributes else 0
    return attributes["sku"]["S"], StockEntry(quantity, None if price is None else Decimal(price["N"]))
