"""The backing services of one emulation: the real one when the environment names it, else one that is started here.

Those that are started here run side by side. Between the functions and each of them is a proxy that can be told to fail
(`emulator/fault_injection/`), and each has a key of this run.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulator import options
from emulator.aws.sample_data import CATALOG
from emulator.backing_services.valkey import Valkey
from emulator.errors import EmulatorError
from emulator.fault_injection import Faults, Proxy, RedisWire, Wire
from emulator.processes.ports import LOOPBACK, Network
from emulator.status_view import Row
from sam_template.repository import REPOSITORY

PRODUCTS_INDEX = "products"
_INDEX_KEY_VARIABLE = "EMULATOR_ES_API_KEY"


class Supervised(Protocol):
    """A process that this emulation started."""

    async def wait(self) -> int:
        """Return its exit status once it has ended."""


@dataclass(frozen=True)
class _Service:
    """One backing service: what the status view says of it, and what leads the functions to it."""

    row: Row
    parameters: Mapping[str, str]
    """Parameters of the template."""
    secrets: Mapping[str, str]
    """Members of the shop's secret."""


class BackingServices:
    """The backing services of one emulation.

    `parameters` are the template's parameters that lead to them, `secrets` what the secret must hold for them, `rows`
    what the status view says of them: all known once `start` has returned. `failure` is done, with a sentence, when a
    process that is watched ends by itself.
    """

    def __init__(self, valkey_log: Path, network: Network) -> None:
        self._valkey_log = valkey_log
        self._network = network
        self._proxies: dict[str, Proxy] = {}
        self.parameters: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.rows: list[Row] = []
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def faults(self) -> Faults:
        """The faults of everything behind a proxy."""
        return Faults(self._proxies)

    async def start(self, resources: contextlib.AsyncExitStack) -> None:
        """Start what the environment does not name; `resources` stops it. Raises EmulatorError."""
        starting = (self._redis(resources), self._elasticsearch(resources), self._anthropic(resources))
        # None is stopped while it starts.
        for outcome in await asyncio.gather(*starting, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
            self.parameters |= outcome.parameters
            self.secrets |= outcome.secrets
            self.rows.append(outcome.row)
        self.rows.sort()

    async def proxy(self, resources: contextlib.AsyncExitStack, name: str, port: int, wire: Wire) -> str:
        """Start a proxy in front of the backing service that listens at `port`; return `host:port` for functions.

        `resources` stops the proxy. `name` is what faults call the backing service.
        """
        proxy = Proxy(LOOPBACK, port, wire, name=name, host=self._network.listen, reached_as=self._network.reached_as)
        self._proxies[name] = await resources.enter_async_context(proxy)
        return f"{self._network.reached_as}:{proxy.port}"

    def observe_errors(self, name: str, on_error: Callable[[bytes], None]) -> None:
        """Call `on_error` with the head of each HTTP error of the backing service `name`, if it has a proxy."""
        if name in self._proxies:
            self._proxies[name].on_error = on_error

    def watch(self, resources: contextlib.AsyncExitStack, title: str, process: Supervised, log: Path) -> None:
        """Notice when `process` ends by itself, until `resources` stops it."""

        async def wait() -> None:
            status = await process.wait()
            if not self.failure.done():
                self.failure.set_result(f"{title} ended with status {status}: see {log}, and start the emulator again.")

        watching = asyncio.create_task(wait())
        resources.push_async_callback(asyncio.wait, [watching])
        resources.callback(watching.cancel)

    async def _redis(self, resources: contextlib.AsyncExitStack) -> _Service:
        if host := os.environ.get("REDIS_HOST"):
            port, tls = os.environ.get("REDIS_PORT", "6379"), os.environ.get("REDIS_TLS", "false")
            cluster = os.environ.get("REDIS_CLUSTER", "false")
            parameters = {"RedisHost": host, "RedisPort": port, "RedisTls": tls, "RedisCluster": cluster}
            key = os.environ.get("REDIS_PASSWORD", "")
            return _Service(("Redis", "yours", f"{host}:{port}"), parameters, {"REDIS_PASSWORD": key})
        key = secrets.token_urlsafe()
        valkey = await resources.enter_async_context(Valkey(password=key, log=self._valkey_log))
        self.watch(resources, "Valkey", valkey, self._valkey_log)
        address = await self.proxy(resources, "redis", valkey.port, RedisWire())
        host, _, port = address.rpartition(":")
        parameters = {"RedisHost": host, "RedisPort": port, "RedisTls": "false"}
        return _Service(("Redis", valkey.version, address), parameters, {"REDIS_PASSWORD": key})

    async def _elasticsearch(self, resources: contextlib.AsyncExitStack) -> _Service:
        if url := options.service_url("ES_URL", "ES_API_KEY"):
            parameters = {"ElasticsearchUrl": url, "ElasticsearchIndex": os.environ.get("ES_INDEX", PRODUCTS_INDEX)}
            key = os.environ.get("ES_API_KEY", "")
            return _Service(("Elasticsearch", "yours", url), parameters, {"ES_API_KEY": key})
        from emulator.backing_services.elasticsearch import WIRE, Elasticsearch  # not without need: tantivy is large

        key = base64.b64encode(f"emulator:{secrets.token_urlsafe()}".encode()).decode()
        fake = await resources.enter_async_context(Elasticsearch(api_key=key))
        await _fill_index(fake.url, key)
        url = f"http://{await self.proxy(resources, 'elasticsearch', fake.port, WIRE)}"
        parameters = {"ElasticsearchUrl": url, "ElasticsearchIndex": PRODUCTS_INDEX}
        return _Service(("Elasticsearch", "fake", url), parameters, {"ES_API_KEY": key})

    async def _anthropic(self, resources: contextlib.AsyncExitStack) -> _Service:
        if key := os.environ.get("ANTHROPIC_API_KEY"):
            url = options.service_url("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "https://api.anthropic.com")
            return _Service(("Anthropic", "your key", url), {"AnthropicBaseUrl": url}, {"ANTHROPIC_API_KEY": key})
        from emulator.backing_services.anthropic import WIRE, Anthropic  # not without need: pydantic is large

        key = f"sk-ant-{secrets.token_urlsafe()}"
        fake = await resources.enter_async_context(Anthropic(api_key=key))
        url = f"http://{await self.proxy(resources, 'anthropic', fake.port, WIRE)}"
        return _Service(("Anthropic", "fake", url), {"AnthropicBaseUrl": url}, {"ANTHROPIC_API_KEY": key})


async def _fill_index(url: str, api_key: str) -> None:
    """Fill the Elasticsearch at `url` as a person does, with the assistant's own command. Raises EmulatorError."""
    command = [sys.executable, "-m", "shopping_bot.search.index", "--url", url, "--catalog", str(CATALOG)]
    environment = {"PYTHONPATH": str(REPOSITORY / "shopbot_function"), _INDEX_KEY_VARIABLE: api_key}
    process = await asyncio.create_subprocess_exec(
        *(*command, "--alias", PRODUCTS_INDEX, "--api-key-env", _INDEX_KEY_VARIABLE),
        env={**os.environ, **environment},
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        _, sentence = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise EmulatorError(sentence.decode(errors="replace").strip())
