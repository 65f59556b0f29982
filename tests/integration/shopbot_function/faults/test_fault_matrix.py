"""Whatever one backing service does, or two: an answer in time, of the kind that docs/faults.md says, and soon again.

`WRITE_FAULTS=1 make test ARGS=tests/integration/shopbot_function/faults` writes the page anew.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from emulator.backing_services.anthropic import Anthropic
from emulator.backing_services.elasticsearch import Elasticsearch
from emulator.backing_services.valkey import Valkey
from sam_template.repository import CATALOG
from tests.integration.shopbot_function.faults import cells, worker
from tests.integration.shopbot_function.faults.aws import Aws
from tests.integration.shopbot_function.faults.cells import Cell, Outcome

WORKERS = 6
KEYS = {"ANTHROPIC_API_KEY": "key", "ES_API_KEY": "a2V5", "REDIS_PASSWORD": "local", "SESSION_KEY": "key"}
SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_SECRET_ACCESS_KEY": "test",
    "CLAUDE_MODEL": "claude-sonnet-5-5",
    "ES_INDEX": "products",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "REDIS_TLS": "false",
    "SECRETS_MANAGER_SECRET": "secret",
    "TABLE_NAME": "inventory",
}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The ports of the backing services that everything is passed on to."""
    from shopping_bot.search.index import fill

    started, ending = threading.Event(), threading.Event()
    found: dict[str, int] = {}

    async def serve() -> None:
        log = tmp_path_factory.mktemp("valkey") / "valkey.log"
        async with (
            Anthropic(api_key=KEYS["ANTHROPIC_API_KEY"]) as claude,
            Elasticsearch(api_key=KEYS["ES_API_KEY"]) as elasticsearch,
            Valkey(password=KEYS["REDIS_PASSWORD"], log=log) as valkey,
        ):
            await asyncio.to_thread(fill, elasticsearch.url, CATALOG, api_key=KEYS["ES_API_KEY"])
            found.update(anthropic=claude.port, elasticsearch=elasticsearch.port, redis=valkey.port)
            started.set()
            await asyncio.to_thread(ending.wait)

    with Aws(KEYS) as aws:
        found.update(dynamodb=aws.port, secretsmanager=aws.port)
        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        assert started.wait(60)
        yield found
        ending.set()
        thread.join()


@pytest.fixture(scope="module")
def outcomes(targets: dict[str, int]) -> dict[Cell, Outcome]:
    """What became of each request of the matrix."""
    context, expected = multiprocessing.get_context("spawn"), cells.expected()
    left: list[Cell] = [*cells.singles(), *cells.pairs()]
    found: dict[Cell, Outcome] = {}
    for workers in (WORKERS, WORKERS // 2, 1):
        with ProcessPoolExecutor(workers, context, worker.start, (targets, SETTINGS)) as pool:
            found |= dict(pool.map(worker.run, left))
        # A machine that is busy with other things may be late once; a defect is there again.
        left = [
            cell
            for cell in left
            if found[cell].mistakes or found[cell].answer != expected.get(cell, found[cell].answer)
        ]
    return found


def test_no_fault_is_a_wrong_answer_a_late_one_or_a_lasting_one(outcomes: dict[Cell, Outcome]) -> None:
    wrong = {cell: outcome.mistakes for cell, outcome in outcomes.items() if outcome.mistakes}
    assert wrong == {}


def test_the_page_says_what_becomes_of_each_request(outcomes: dict[Cell, Outcome]) -> None:
    tables = cells.page(outcomes)
    if os.environ.get("WRITE_FAULTS"):
        cells.write(tables)

    assert tables == cells.committed(), "Run: WRITE_FAULTS=1 make test ARGS=tests/integration/shopbot_function/faults"


def test_what_touches_no_backing_service_is_not_touched_by_any_fault(outcomes: dict[Cell, Outcome]) -> None:
    free = {cell: outcome.answer for cell, outcome in outcomes.items() if cell.route in cells.UNTOUCHED}
    assert set(free.values()) == {"200"}
