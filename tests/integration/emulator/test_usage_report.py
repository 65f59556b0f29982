"""The report of a running emulator tells what its functions and routes have done."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from emulator.commands import cli
from emulator.control import ask
from emulator.project.paths import RunningEmulator

INVENTORY, SHOPBOT = "InventoryFunction", "ShopbotFunction"
MIB = 1024 * 1024


def report(running: RunningEmulator) -> dict[str, Any]:
    found: dict[str, Any] = asyncio.run(ask(running, "report", seconds=120))
    return found


def function(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next((each for each in told["functions"] if each["function"] == name), {})


def inits(told: dict[str, Any]) -> list[int]:
    return [function(told, name)["inits"]["count"] for name in (INVENTORY, SHOPBOT)]


def counts(told: dict[str, Any], route: str) -> tuple[int, int, int]:
    rows = (row for row in told["routes"] if (row["route"], row["server"]) == (route, "gateway"))
    row = next(rows, {"requests": 0, "client_errors": 0, "server_errors": 0})
    return row["requests"], row["client_errors"], row["server_errors"]


@pytest.fixture
def client(running: RunningEmulator) -> httpx.Client:
    ((_, _, url), *_) = asyncio.run(ask(running, "status"))["apis"]
    return httpx.Client(base_url=url, timeout=60)


def test_it_counts_invocations_and_answers(running: RunningEmulator, client: httpx.Client) -> None:
    with client:
        client.get("/")  # an environment exists from here on
        before = report(running)
        for _ in range(3):
            assert client.get("/").status_code == 200
        assert client.get("/inventory/NO-SUCH-SKU").status_code == 404
        assert client.get("/no/such/page").status_code == 404
    after = report(running)
    earlier, later = function(before, INVENTORY), function(after, INVENTORY)
    assert later["invocations"] == earlier["invocations"] + 4
    assert later["errors"] == earlier["errors"]
    assert later["billed_ms"] >= earlier["billed_ms"] + 4
    assert later["dollars"] > earlier["dollars"] > 0
    assert later["warm"]["p50_ms"] <= later["warm"]["p99_ms"] <= later["warm"]["max_ms"]
    assert counts(after, "GET /")[0] == counts(before, "GET /")[0] + 3
    item = "GET /inventory/{sku}"
    assert counts(after, item)[:2] == (counts(before, item)[0] + 1, counts(before, item)[1] + 1)
    assert counts(after, "$default")[1] == counts(before, "$default")[1] + 1  # the assistant's own 404


def test_it_tells_what_an_init_imports_and_an_environment_takes(running: RunningEmulator, client: httpx.Client) -> None:
    with client:
        client.get("/")
        client.get("/health")
    told = report(running)
    for name, framework in (
        (INVENTORY, {"fastapi", "pydantic", "starlette"}),
        (SHOPBOT, {"flask", "werkzeug", "jinja2"}),
    ):
        found = function(told, name)
        assert "error" not in found["imports"]
        packages = {each["package"]: each for each in found["imports"]["packages"]}
        assert len(packages) == 10
        assert framework & packages.keys()  # which of them are among the ten heaviest is a matter of timing
        assert all(each["total_ms"] >= each["own_ms"] > 0 for each in packages.values())
        assert found["imports"]["total_ms"] > sum(each["own_ms"] for each in packages.values())
        assert found["inits"]["count"] >= 1
        assert found["architecture"] == "arm64"
        assert found["environments"]["count"] >= 1
        assert found["environments"]["rss_bytes"] > 20 * MIB
        assert found["peak_memory_bytes"] > 20 * MIB


def test_the_init_of_the_report_serves_nobody(running: RunningEmulator, client: httpx.Client) -> None:
    with client:
        client.get("/")
    before, after = report(running), report(running)
    deadline = time.monotonic() + 60
    while inits(after) != inits(before):  # an environment started meanwhile; one for the report would every time
        assert time.monotonic() < deadline, "each report counts an init"
        before, after = after, report(running)
    for name in (INVENTORY, SHOPBOT):
        assert function(after, name)["invocations"] == function(before, name)["invocations"]


def test_it_names_the_calls_that_iam_denied(
    running: RunningEmulator, environment_of: Callable[[str], dict[str, str]]
) -> None:
    role = environment_of(SHOPBOT)
    table = boto3.client(
        *("dynamodb", role["AWS_REGION"]),
        endpoint_url=running.endpoint_url,
        aws_access_key_id=role["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=role["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=role["AWS_SESSION_TOKEN"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        table.delete_item(TableName=role["TABLE_NAME"], Key={"sku": {"S": "X"}})
    (denied,) = [each for each in report(running)["denied_calls"] if "dynamodb:DeleteItem" in each]
    assert denied.startswith(f"{SHOPBOT} may not call dynamodb:DeleteItem")


def test_the_command_prints_a_screen_and_json(running: RunningEmulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 0
    screen = capsys.readouterr().out
    assert screen.startswith("Up for ")
    assert f"{INVENTORY} (512 MB, arm64)\n" in screen
    assert cli.main(["report", "--json"]) == 0
    assert function(json.loads(capsys.readouterr().out), INVENTORY)["memory_mb"] == 512
