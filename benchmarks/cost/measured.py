"""What was measured: handler times of the newest run, what a request leaves behind, what the template declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.results import FOLDER
from sam_template.repository import TEMPLATE

LATEST: Final = FOLDER / "latest.json"
REQUESTS: Final = FOLDER / "requests.json"


@dataclass(frozen=True)
class Request:
    """What a warm request of one route leaves behind; times in ms of a whole processor."""

    handler_ms: float
    log_bytes: float
    log_lines: float
    answer_bytes: float
    keys_read: float
    metrics: int
    claude_calls: float = 0.0
    tokens: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Measured:
    """Everything that is measured or declared. `init_ms` and `first_ms` are of a new environment, by function."""

    date: str
    commit: str
    requests: Mapping[str, Request]
    item_bytes: int
    access_log_bytes: int
    init_ms: Mapping[str, float]
    first_ms: float
    megabytes: Mapping[str, int]
    alarms: int


@cache
def read() -> Measured:
    """Return what benchmarks/results and template.yaml hold. Raises KeyError when a run lacks a figure."""
    run = json.loads(LATEST.read_text(encoding="utf-8"))
    sample = json.loads(REQUESTS.read_text(encoding="utf-8"))
    medians = _medians(run)
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a SafeLoader
    parameters, resources = template["Parameters"], template["Resources"].values()
    return Measured(
        date=run["run"]["date"][:10],
        commit=run["run"]["commit"],
        requests={route: _request(found, _handler_ms(route, medians)) for route, found in sample["requests"].items()},
        item_bytes=sample["items"]["bytes"],
        access_log_bytes=sample["access_log_bytes"],
        init_ms={
            "inventory": medians["init", "bytecode shipped", "init"],
            "shopbot": medians["assistant", "ShopbotFunction", "init"],
        },
        first_ms=medians["assistant", "ShopbotFunction", "first chat after init"] - _handler_ms("POST /chat", medians),
        megabytes={
            "inventory": int(parameters["InventoryMemoryMegabytes"]["Default"]),
            "shopbot": int(parameters["ShopbotMemoryMegabytes"]["Default"]),
        },
        alarms=sum(resource["Type"] == "AWS::CloudWatch::Alarm" for resource in resources),
    )


def write_requests(sample: Mapping[str, Any], path: Path = REQUESTS) -> None:
    """Keep what benchmarks.cost.sample measured."""
    path.write_text(json.dumps(sample, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def function_of(route: str) -> str:
    """Return which function answers `route`."""
    return "inventory" if route.split()[1].startswith(("/inventory", "/file")) else "shopbot"


def _request(found: Mapping[str, Any], handler_ms: float) -> Request:
    names = {name.partition(" ")[0] for name in found["metrics"]} | {"ColdStarts"}
    return Request(
        handler_ms=handler_ms,
        log_bytes=found["log_bytes"],
        log_lines=found["log_lines"],
        answer_bytes=found["answer_bytes"],
        keys_read=found["keys_read"],
        metrics=len(names),
        claude_calls=found.get("claude_calls", 0.0),
        tokens=found.get("tokens"),
    )


def _handler_ms(route: str, medians: Mapping[tuple[str, str, str], float]) -> float:
    """Return the handler's time: measured alone, or over HTTP less what the engine and sam add.

    Routes that were not timed count as one read of the table (6.9 ms) for each AWS call that they make.
    """
    one_call = medians["warm", "GET /inventory/{sku} · handler · 1 client", "p50"]
    around = medians["cost", "GET /", "the engine adds"] + medians["cost", "GET /", "sam adds"]
    timed = {"GET /chat/ui": "GET /health"}.get(route, route)
    if ("assistant", timed, "warm") in medians:
        return max(0.1, medians["assistant", timed, "warm"] - around)
    calls = {"POST /inventory/{sku}/adjustments": 2, "GET /file/download/{filename}": 2}
    return calls.get(route, 1) * one_call


def _medians(run: Mapping[str, Any]) -> dict[tuple[str, str, str], float]:
    return {
        (section["name"], measure["subject"], measure["quantity"]): measure["median"]
        for section in run["sections"]
        for measure in section["measures"]
    }


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as None: only plain values are needed here."""


def _nothing(_loader: yaml.SafeLoader, _suffix: str, _node: yaml.Node) -> None:
    return None


_Loader.add_multi_constructor("!", _nothing)
