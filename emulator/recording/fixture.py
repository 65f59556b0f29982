"""A recorded fixture: `NAME.json`, the event as other fixtures are, and `NAME.answer.json`, what the client got."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from emulator.errors import EmulatorError

ANSWER_SUFFIX: Final = ".answer.json"
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_LONGEST_NAME: Final = 80


class FixtureError(EmulatorError):
    """A fixture that cannot be used; the message is a sentence."""


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP. `api` is the API's logical id; `recorded_at` orders the fixtures of a folder."""

    api: str
    status: int
    headers: Mapping[str, list[str]]
    body: bytes
    recorded_at: str = ""

    def document(self) -> dict[str, Any]:
        """Return what its file holds."""
        try:
            body, is_encoded = self.body.decode(), False
        except UnicodeDecodeError:
            body, is_encoded = base64.b64encode(self.body).decode("ascii"), True
        return {
            "api": self.api,
            "recordedAt": self.recorded_at,
            "statusCode": self.status,
            "multiValueHeaders": dict(self.headers),
            "body": body,
            "isBase64Encoded": is_encoded,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the answer of a file. Raises LookupError, TypeError or ValueError."""
        body = str(document["body"])
        return cls(
            str(document["api"]),
            int(document["statusCode"]),
            {str(name): [str(value) for value in values] for name, values in document["multiValueHeaders"].items()},
            base64.b64decode(body) if document.get("isBase64Encoded") else body.encode(),
            str(document.get("recordedAt", "")),
        )


@dataclass(frozen=True)
class Fixture:
    """An event of API Gateway, in any format, and the answer to it."""

    name: str
    event: Mapping[str, Any]
    answer: Answer

    @property
    def method(self) -> str:
        """The request's method."""
        context = self.event.get("requestContext") or {}
        return str(self.event.get("httpMethod") or (context.get("http") or {}).get("method") or "GET")

    @property
    def path(self) -> str:
        """The request's path, decoded, with its stage."""
        context = self.event.get("requestContext") or {}
        return str(self.event.get("rawPath") or context.get("path") or self.event.get("path") or "/")

    @property
    def digest(self) -> str:
        """What tells two requests apart: method, path, query, body, and the status of the answer."""
        query = self.event.get("rawQueryString") or self.event.get("multiValueQueryStringParameters")
        parts = [self.answer.api, self.method, self.path, query, self.event.get("body"), self.answer.status]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def base_name(self) -> str:
        """Return the name of the route: "get_inventory_sku" for GET /inventory/{sku}."""
        key = self.event.get("routeKey") or f"{self.method} {self.event.get('resource') or self.path}"
        path = self.path if key == "$default" else str(key).partition(" ")[2]
        return "_".join([self.method.lower(), *_WORD.findall(path)])[:_LONGEST_NAME]

    def write(self, folder: Path) -> None:
        """Write both files. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, document in ((".json", self.event), (ANSWER_SUFFIX, self.answer.document())):
            (folder / f"{self.name}{suffix}").write_text(f"{json.dumps(document, indent=2, ensure_ascii=False)}\n")


def read_fixtures(folder: Path) -> list[Fixture]:
    """Return the recorded fixtures of `folder`, in the order in which they were recorded. Raises FixtureError."""
    found = []
    for file in sorted(folder.glob(f"*{ANSWER_SUFFIX}")):
        name = file.name.removesuffix(ANSWER_SUFFIX)
        try:
            event = dict(json.loads((folder / f"{name}.json").read_text()))
            found.append(Fixture(name, event, Answer.of(json.loads(file.read_text()))))
        except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise FixtureError(f"{folder / name}.json is no recorded fixture ({error}): record it anew.") from error
    return sorted(found, key=lambda fixture: (fixture.answer.recorded_at, fixture.name))
