"""What the environment names is used; the rest is started."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulator.backing_services import BackingServices, services
from emulator.errors import EmulatorError
from emulator.processes.ports import Network, free_port
from emulator.project.declaration import BackingService
from sam_template.repository import REPOSITORY
from tests.shop import PROJECT

WANTED = PROJECT.declaration.backing_services
YOURS = {
    "REDIS_HOST": "cache.example",
    "REDIS_PORT": "6380",
    "REDIS_TLS": "true",
    "REDIS_CLUSTER": "true",
    "REDIS_PASSWORD": "redis key",
    "ES_URL": "https://search.example",
    "ES_API_KEY": "search key",
    "ES_INDEX": "mine",
    "ANTHROPIC_API_KEY": "claude key",
}


def test_real_ones_are_a_variable_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in YOURS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)

    async def run() -> BackingServices:
        async with contextlib.AsyncExitStack() as resources:
            found = BackingServices(
                PROJECT.declaration.backing_services, REPOSITORY, tmp_path / "valkey.log", Network()
            )
            await found.start(resources)
            return found

    found = asyncio.run(run())
    assert found.parameters == {
        "RedisHost": "cache.example",
        "RedisPort": "6380",
        "RedisTls": "true",
        "RedisCluster": "true",
        "ElasticsearchUrl": "https://search.example",
        "ElasticsearchIndex": "mine",
        "AnthropicBaseUrl": "https://api.anthropic.com",
    }
    assert found.secrets == {
        "ShopSecret": {
            "REDIS_PASSWORD": "redis key",
            "ES_API_KEY": "search key",
            "ANTHROPIC_API_KEY": "claude key",
        }
    }
    assert [row[1] for row in found.rows] == ["your key", "yours", "yours"]
    assert found.faults.describe() == {}
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_cannot_be_filled_is_the_sentence_of_the_command_that_fills_it() -> None:
    declared, port = PROJECT.declaration.backing_services["elasticsearch"], free_port()
    facts = {"url": f"http://127.0.0.1:{port}", "index": "products", "api_key": "key"}
    with pytest.raises(EmulatorError, match=f"^No Elasticsearch answers at http://127.0.0.1:{port} .* check ES_URL.$"):
        asyncio.run(services._fill_index(declared, REPOSITORY, facts))


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    facts = {"url": "http://127.0.0.1:1", "index": "products", "api_key": "key"}
    with pytest.raises(EmulatorError, match=r"^no-such-program, which emulator.toml names .* correct `fill`.$"):
        asyncio.run(services._fill_index(BackingService(fill=("no-such-program",)), tmp_path, facts))
    with pytest.raises(EmulatorError, match=r"^false could not fill Elasticsearch \(status 1\)"):
        asyncio.run(services._fill_index(BackingService(fill=("false",)), tmp_path, facts))


def test_an_index_that_could_not_be_filled_is_an_error_once_everything_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ES_URL", raising=False)

    async def run() -> None:
        async with contextlib.AsyncExitStack() as resources:
            wanted = {"elasticsearch": BackingService(fill=("false",))}
            found = BackingServices(wanted, tmp_path, tmp_path / "valkey.log", Network())
            await found.start(resources)
            with pytest.raises(EmulatorError, match=r"^false could not fill Elasticsearch \(status 1\)"):
                await found.filled()

    asyncio.run(run())


def test_what_fills_an_index_ends_with_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ES_URL", raising=False)
    command = (sys.executable, "-c", "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)")
    pid = tmp_path / "pid"

    async def run() -> None:
        async with contextlib.AsyncExitStack() as resources:
            wanted = {"elasticsearch": BackingService(fill=command)}
            await BackingServices(wanted, tmp_path, tmp_path / "valkey.log", Network()).start(resources)
            async with asyncio.timeout(60):
                while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 another process writes it
                    await asyncio.sleep(0.01)

    asyncio.run(run())
    assert not psutil.pid_exists(int(pid.read_text()))


def test_what_fills_an_index_may_end_a_moment_before_it_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Ended:
        async def communicate(self) -> None:
            await asyncio.Event().wait()

        def kill(self) -> None:
            raise ProcessLookupError

        async def wait(self) -> int:
            return 0

    async def start(*_: str, **__: Any) -> Ended:
        return Ended()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start)
    facts = {"url": "http://127.0.0.1:1", "index": "products", "api_key": "k"}

    async def run() -> None:
        filling = asyncio.create_task(services._fill_index(BackingService(fill=("any",)), tmp_path, facts))
        await asyncio.sleep(0.01)
        filling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await filling

    asyncio.run(run())


def test_what_nobody_wants_is_not_started(tmp_path: Path) -> None:
    async def run() -> BackingServices:
        async with contextlib.AsyncExitStack() as resources:
            found = BackingServices({}, tmp_path, tmp_path / "valkey.log", Network())
            await found.start(resources)
            return found

    found = asyncio.run(run())
    assert (found.rows, found.parameters, found.secrets) == ([], {}, {})
    assert list(tmp_path.iterdir()) == []
