"""Sample items and files, and members of secrets: what `emulator.toml` puts into a fresh local stack."""

from __future__ import annotations

import json
import mimetypes
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.project.declaration import SampleItems

NOW: Final = "now"
"""The placeholder that is the time of loading, RFC 3339 in UTC, unless a sample has a member of that name."""
_BATCH: Final = 25  # Amazon DynamoDB API Reference, "BatchWriteItem": put requests in one call
_ATTEMPTS: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.05
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

Item = dict[str, dict[str, Any]]
"""A DynamoDB item: AttributeValues by name (Amazon DynamoDB API Reference, "AttributeValue")."""


class SampleDataError(Exception):
    """Sample data that cannot be read or loaded; the message is one sentence."""


def read_samples(file: Path) -> list[Mapping[str, Any]]:
    """Return the JSON list of objects in `file`, numbers with a point as Decimal. Raises SampleDataError."""
    try:
        samples = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise SampleDataError(f"The sample items in {file} cannot be read ({error}): correct the file.") from error
    if not isinstance(samples, list) or not all(isinstance(sample, dict) for sample in samples):
        raise SampleDataError(f"The sample items in {file} must be a JSON list of objects: correct the file.")
    return samples


def items_of(declared: SampleItems, now: str) -> list[Item]:
    """Return the items that `declared` makes of its samples; `now` is what {now} stands for. Raises SampleDataError."""
    samples = read_samples(declared.file)
    if declared.attributes is None:
        return [{name: _natural(value) for name, value in sample.items()} for sample in samples]
    attributes = declared.attributes
    try:
        return [{name: _filled_in(value, {NOW: now, **one}) for name, value in attributes.items()} for one in samples]
    except SampleDataError as error:
        raise SampleDataError(f"A sample item in {declared.file} {error}.") from error


def load_items(clients: Clients, table: str, declared: SampleItems) -> int:
    """Write every item into `table` (its name); return how many. Raises SampleDataError."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    items = items_of(declared, now)
    for batch in _batches(items):
        _write(clients, table, batch)
    return len(items)


def load_files(clients: Clients, bucket: str, folder: Path) -> int:
    """Put every file of `folder` into `bucket` under its name and with its content type; return how many.

    Raises SampleDataError when there is no such folder.
    """
    if not folder.is_dir():
        raise SampleDataError(f"There is no folder {folder} with sample files: correct its name.")
    files = sorted(file for file in folder.iterdir() if file.is_file())
    for file in files:
        clients.s3.put_object(Bucket=bucket, Key=file.name, Body=file.read_bytes(), ContentType=content_type(file))
    return len(files)


def fill_in_secret(clients: Clients, secret: str, members: Mapping[str, str]) -> None:
    """Give the JSON secret `secret` (its ARN) the `members`, as a person does after a deployment."""
    manager = clients.secretsmanager
    value = json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])
    manager.put_secret_value(SecretId=secret, SecretString=json.dumps(value | members))


def content_type(file: Path) -> str:
    """Return the media type for a file's name, on every machine the same; texts are taken for UTF-8."""
    suffix = file.suffix.lower()
    # Where another module has read this system's tables, they name compressed files, too.
    kind = None if suffix in mimetypes.encodings_map else mimetypes.types_map.get(suffix)
    guessed = kind or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def _filled_in(value: Mapping[str, str], sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return an AttributeValue with the members of `sample` in the place of their names."""
    ((kind, pattern),) = value.items()

    def member(found: re.Match[str]) -> str:
        name = found[1]
        if name not in sample or isinstance(sample[name], (dict, list)):
            raise SampleDataError(f"needs a text or a number in {name}: {json.dumps(sample, default=str):.80}")
        return str(sample[name])

    text = _PLACEHOLDER.sub(member, pattern)
    if kind == "BOOL":
        if text.lower() not in ("true", "false"):
            raise SampleDataError(f"must have true or false for {pattern}, not {text!r}")
        return {"BOOL": text.lower() == "true"}
    if kind == "N" and not _is_number(text):
        raise SampleDataError(f"must have a number for {pattern}, not {text!r}")
    return {kind: text}


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _natural(value: Any) -> dict[str, Any]:
    """Return the AttributeValue for a JSON value."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case list():
            return {"L": [_natural(member) for member in value]}
        case dict():
            return {"M": {name: _natural(member) for name, member in value.items()}}
        case _:
            return {"S": str(value)}


def _batches(items: list[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _write(clients: Clients, table: str, batch: Iterable[Item]) -> None:
    """Write one batch, again and again what DynamoDB left unprocessed, with longer and longer pauses."""
    requests: Any = {table: [{"PutRequest": {"Item": item}} for item in batch]}
    for attempt in range(_ATTEMPTS):
        requests = clients.dynamodb.batch_write_item(RequestItems=requests).get("UnprocessedItems")
        if not requests:
            return
        time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise SampleDataError(f"DynamoDB left {len(requests[table])} sample items unwritten after {_ATTEMPTS} attempts.")
