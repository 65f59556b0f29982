"""What is compared: for each service its own package, the baseline, and the two floors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

OURS: Final = "ours"
BASELINE: Final = "baseline"
FRAMEWORK: Final = "floor with framework"
FLOOR: Final = "floor"
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Request:
    """A request that is the first of its environment: `name` for people, `event` a file below events/."""

    name: str
    event: str


@dataclass(frozen=True)
class Subject:
    """A function that is started. Its `sources` are packaged here; without them it is the build of the service."""

    kind: str
    handler: str
    requests: tuple[Request, ...]
    sources: Path | None = None


@dataclass(frozen=True)
class Service:
    """A function of the template, and what it is compared with. Their `requests` are the service's, or the first."""

    name: str
    logical_id: str
    subjects: tuple[Subject, ...]


_ROOT = Request("GET /", "inventory/root.json")
_ITEM = Request("GET /inventory/{sku}", "inventory/get_item.json")
_HEALTH = Request("GET /health", "shopbot/health.json")
_CHAT = Request("POST /chat", "shopbot/chat_search.json")
_HANDLER = "lambda_handler.lambda_handler"

SERVICES: Final = (
    Service(
        "inventory",
        "InventoryFunction",
        (
            Subject(OURS, "app.lambda_handler.lambda_handler", (_ROOT, _ITEM)),
            Subject(BASELINE, _HANDLER, (_ROOT, _ITEM), _HERE / "inventory"),
            Subject(FRAMEWORK, _HANDLER, (_ROOT,), _HERE / "fastapi_only"),
            Subject(FLOOR, _HANDLER, (_ROOT,), _HERE / "empty"),
        ),
    ),
    Service(
        "shopbot",
        "ShopbotFunction",
        (
            Subject(OURS, _HANDLER, (_HEALTH, _CHAT)),
            Subject(BASELINE, _HANDLER, (_HEALTH, _CHAT), _HERE / "shopbot"),
            Subject(FRAMEWORK, _HANDLER, (_HEALTH,), _HERE / "flask_only"),
            Subject(FLOOR, _HANDLER, (_HEALTH,), _HERE / "empty"),
        ),
    ),
)
