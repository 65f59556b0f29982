"""The backing services of a run, side by side: each behind a proxy, with a key of this run, and watched."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis

from emulator.backing_services import BackingServices
from emulator.processes.ports import Network
from sam_template.repository import REPOSITORY
from tests.shop import PROJECT

Test = Callable[[BackingServices], Awaitable[Any]]
WANTED = PROJECT.declaration.backing_services
REAL_ONES = ("REDIS_HOST", "ES_URL", "ANTHROPIC_API_KEY")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Test], Any]:
    for name in REAL_ONES:
        monkeypatch.delenv(name, raising=False)

    async def started(test: Test) -> Any:
        async with contextlib.AsyncExitStack() as resources:
            services = BackingServices(
                PROJECT.declaration.backing_services, REPOSITORY, tmp_path / "valkey.log", Network()
            )
            await services.start(resources)
            return await test(services)

    return lambda test: asyncio.run(started(test))


def test_each_is_found_by_the_templates_parameters_with_its_key(run: Callable[[Test], Any]) -> None:
    async def test(services: BackingServices) -> tuple[list[str], dict[str, str]]:
        await services.filled()
        found, keys = services.parameters, services.secrets["ShopSecret"]

        def use() -> None:
            index = f"{found['ElasticsearchUrl']}/{found['ElasticsearchIndex']}/_count"
            headers = {"authorization": f"ApiKey {keys['ES_API_KEY']}"}
            assert httpx.get(index, headers=headers).json()["count"] == 80
            models = f"{found['AnthropicBaseUrl']}/v1/models"
            version = {"anthropic-version": "2026-10-21"}
            assert httpx.get(models, headers={"x-api-key": keys["ANTHROPIC_API_KEY"], **version}).status_code == 200
            address = {"host": found["RedisHost"], "port": int(found["RedisPort"])}
            with redis.Redis(**address, password=keys["REDIS_PASSWORD"]) as client:  # type: ignore[arg-type]
                assert client.ping()
            # Nobody else comes in, and no page in a browser.
            assert httpx.get(index).status_code == 401
            assert httpx.get(models, headers={"x-api-key": "any", **version}).status_code == 401
            with redis.Redis(**address) as stranger, pytest.raises(redis.AuthenticationError):  # type: ignore[arg-type]
                stranger.ping()
            for url in (index, models):
                assert httpx.get(url, headers={"host": "evil.example"}).status_code == 403
                assert httpx.get(url, headers={"origin": "http://evil.example"}).status_code == 403

        await asyncio.to_thread(use)
        assert services.faults.describe() == {"anthropic": "none", "elasticsearch": "none", "redis": "none"}
        return [row[0] for row in services.rows], keys

    names, keys = run(test)
    assert names == ["Anthropic", "Elasticsearch", "Redis"]
    _, others = run(test)
    assert not set(keys.values()) & set(others.values())


def test_the_end_of_one_is_said_in_a_sentence(run: Callable[[Test], Any], tmp_path: Path) -> None:
    def valkeys() -> set[psutil.Process]:
        return {process for process in psutil.Process().children(recursive=True) if "valkey" in process.name()}

    others = valkeys()

    async def test(services: BackingServices) -> str:
        assert not services.failure.done()
        (server,) = valkeys() - others
        server.kill()
        return await asyncio.wait_for(services.failure, 60)

    log = tmp_path / "valkey.log"
    assert run(test) == f"Valkey ended with status 137: see {log}, and start the emulator again."
