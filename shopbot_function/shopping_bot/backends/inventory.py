"""What the inventory table says is in stock. The shopbot reads it and never writes it."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lambda_http import aws_clients
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.deadline import Deadline
from shopping_bot.observability import logger

BACKING_SERVICE = "dynamodb"
MAXIMUM_KEYS = 100  # of one BatchGetItem (Amazon DynamoDB API Reference, "BatchGetItem")
CALL_SECONDS = aws_clients.CONNECT_TIMEOUT_SECONDS + aws_clients.READ_TIMEOUT_SECONDS
_MAXIMUM_ROUNDS = 4
_FIRST_PAUSE_SECONDS = 0.05
# What another try may mend at once (Amazon DynamoDB Developer Guide, "Error handling with DynamoDB").
_PASSING = {
    *("InternalServerError", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ServiceUnavailable"),
    *("ThrottlingException", "EndpointConnectionError", "ConnectionClosedError", "HTTPClientError"),
}
_QUANTITY = re.compile(r"[0-9]{1,15}(?:\.0+)?")
_PRICE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?")
_MAXIMUM_LOGGED = 1000


@dataclass(frozen=True)
class StockEntry:
    """How many there are, None when the row does not say so, and the price in rupees when the inventory has one."""

    qty: int | None
    price: Decimal | None

    @property
    def in_stock(self) -> bool | None:
        """Whether there are any; None when nobody knows."""
        return None if self.qty is None else self.qty > 0


class Inventory:
    """Live stock by SKU, from the inventory table."""

    def __init__(self, table_name: str) -> None:
        self._table_name = table_name
        self._logged: set[str] = set()

    def quantities(self, skus: Sequence[str], deadline: Deadline) -> dict[str, StockEntry]:
        """Return the entries of `skus` as of now (a consistent read); a SKU that the table lacks is absent.

        Up to MAXIMUM_KEYS SKUs are one read. Raises BackingServiceError when the table does not answer in full before
        the deadline. A row that the inventory did not write so, such as a text for a quantity, has an unknown quantity.
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
            response = self._read(batch, deadline)
            for row in response["Responses"].get(self._table_name, []):
                found[row["sku"]["S"]] = self._entry(row)
            unprocessed = response.get("UnprocessedKeys", {}).get(self._table_name, {}).get("Keys", [])
            if unprocessed:
                pending = [*unprocessed, *pending]
                _wait(pause)
                pause *= 2
        return found

    def _read(self, keys: Sequence[Any], deadline: Deadline) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        request: Any = {
            self._table_name: {
                "Keys": keys,
                "ConsistentRead": True,
                "ProjectionExpression": "sku, qty, price",
            }
        }
        for is_last_try in (False, True):
            if not deadline.has(CALL_SECONDS):
                raise BackingServiceError(BACKING_SERVICE, "there is no time left for it")
            try:
                with request_metrics.backing_service(BACKING_SERVICE):
                    return aws_clients.dynamodb().batch_get_item(RequestItems=request)
            except (BotoCoreError, ClientError) as error:
                code = _code(error)
                if is_last_try or code not in _PASSING:
                    logger.error("The table could not be read", aws_error=code)
                    raise BackingServiceError(BACKING_SERVICE, code) from error
            _wait(_FIRST_PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def _entry(self, row: Mapping[str, Any]) -> StockEntry:
        qty, price = row.get("qty"), row.get("price")
        digits, amount = _number(qty, _QUANTITY), _number(price, _PRICE)
        if digits is None or (price is not None and amount is None):
            self._log(row["sku"]["S"])
        return StockEntry(None if digits is None else int(Decimal(digits)), None if amount is None else Decimal(amount))

    def _log(self, sku: str) -> None:
        """Log `sku` once in the life of the execution environment: every search that finds it reads the row."""
        if sku not in self._logged and len(self._logged) < _MAXIMUM_LOGGED:
            self._logged.add(sku)
            logger.error("A row of the inventory cannot be read; PUT /inventory/{sku} writes it anew", sku=sku)


def _code(error: Exception) -> str:
    """Return AWS's code, such as AccessDeniedException, or botocore's own; a message may name resources."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def _number(attribute: Any, form: re.Pattern[str]) -> str | None:
    digits = attribute.get("N") if isinstance(attribute, dict) else None
    return digits if isinstance(digits, str) and form.fullmatch(digits) else None


def _wait(seconds: float) -> None:
    # SystemRandom: environments restored from one SnapStart snapshot share the plain generator's state.
    time.sleep(seconds * secrets.randbelow(1000) / 1000)
