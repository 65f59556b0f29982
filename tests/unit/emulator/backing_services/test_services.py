"""What the environment names is used; the rest is started."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from emulator.backing_services import BackingServices, services
from emulator.errors import EmulatorError
from emulator.processes.ports import Network, free_port

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
            found = BackingServices(tmp_path / "valkey.log", Network())
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
        "REDIS_PASSWORD": "redis key",
        "ES_API_KEY": "search key",
        "ANTHROPIC_API_KEY": "claude key",
    }
    assert [row[1] for row in found.rows] == ["your key", "yours", "yours"]
    assert found.faults.describe() == {}
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_cannot_be_filled_is_the_sentence_of_the_command_that_fills_it() -> None:
    port = free_port()
    with pytest.raises(EmulatorError, match=f"^No Elasticsearch answers at http://127.0.0.1:{port} .* check ES_URL.$"):
        asyncio.run(services._fill_index(f"http://127.0.0.1:{port}", "key"))
