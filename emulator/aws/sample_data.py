"""The sample catalogue and the sample files: what a fresh local stack holds."""

from __future__ import annotations

import json
import mimetypes
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from emulator.aws.clients import Clients

DATA: Final = Path(__file__).resolve().parents[1] / "data"
CATALOG: Final = DATA / "catalog.json"
FILES: Final = DATA / "files"
_BATCH: Final = 25  # Amazon DynamoDB API Reference, "BatchWriteItem": put requests in one call
_ATTEMPTS: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.05


class SampleDataError(Exception):
    """Sample data that cannot be read or loaded; the message is one sentence."""


def read_catalog(path: Path = CATALOG) -> list[Mapping[str, Any]]:
    """Return the products of the catalogue. Raises SampleDataError."""
    try:
        products = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SampleDataError(f"The sample catalogue {path} cannot be read ({error}).") from error
    if not isinstance(products, list):
        raise SampleDataError(f"The sample catalogue {path} must be a JSON list of products.")
    return products


def inventory_item(product: Mapping[str, Any], now: str) -> dict[str, dict[str, str]]:
    """Return a product as the inventory service stores it (DynamoDB AttributeValues): texts S; qty, price, version N.

    `now` is the time of creation, RFC 3339 in UTC. Raises SampleDataError for a product without what an item needs.
    """
    try:
        qty, price = int(product["stock"]), str(product["price"])
        texts = {name: str(product[name]) for name in ("sku", "name", "category", "description")}
    except (KeyError, TypeError, ValueError) as error:
        raise SampleDataError(f"A product of the sample catalogue lacks {error}: {product!r:.80}.") from error
    if not re.fullmatch(r"\d+\.\d\d", price):
        raise SampleDataError(f"The price of {texts['sku']} must be rupees with two places, not {price!r}.")
    numbers = {"qty": str(qty), "price": price, "version": "1"}
    return {
        **{name: {"S": text} for name, text in texts.items()},
        **{name: {"N": number} for name, number in numbers.items()},
        "created_at": {"S": now},
        "updated_at": {"S": now},
    }


def load_catalog(clients: Clients, table: str, path: Path = CATALOG) -> int:
    """Write every product of the catalogue into `table`; return how many. Raises SampleDataError."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    items = [inventory_item(product, now) for product in read_catalog(path)]
    for batch in _batches(items):
        _write(clients, table, batch)
    return len(items)


def load_files(clients: Clients, bucket: str, folder: Path = FILES) -> int:
    """Put every file of `folder` into `bucket` under its name and with its content type; return how many."""
    files = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    for file in files:
        clients.s3.put_object(Bucket=bucket, Key=file.name, Body=file.read_bytes(), ContentType=content_type(file))
    return len(files)


def fill_in_secret(clients: Clients, secret: str, members: Mapping[str, str]) -> None:
    """Give the JSON secret `secret` (its ARN) the `members`, as a person does after a deployment."""
    manager = clients.secretsmanager
    value = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])
    manager.put_secret_value(SecretId=secret, SecretString=json.dumps(value | members))


def content_type(file: Path) -> str:
    """Return the media type for a file's name; texts of this repository are UTF-8."""
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def _batches(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _write(clients: Clients, table: str, batch: Iterable[dict[str, Any]]) -> None:
    """Write one batch, again and again what DynamoDB left unprocessed, with longer and longer pauses."""
    requests: Any = {table: [{"PutRequest": {"Item": item}} for item in batch]}
    for attempt in range(_ATTEMPTS):
        requests = clients.dynamodb.batch_write_item(RequestItems=requests).get("UnprocessedItems")
        if not requests:
            return
        time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise SampleDataError(f"DynamoDB left {len(requests[table])} sample items unwritten after {_ATTEMPTS} attempts.")
