"""Redis, Elasticsearch and Anthropic: the real one when the environment names it, else a fake of this emulator.

Between the functions and each fake is a proxy that can be told to fail (`emulator/fault_injection/`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from pathlib import Path

from emulator.aws.sample_data import CATALOG
from emulator.backing_services.anthropic import Anthropic
from emulator.backing_services.elasticsearch import Elasticsearch
from emulator.backing_services.valkey import Valkey
from emulator.errors import EmulatorError
from emulator.fault_injection import Faults, Proxy
from emulator.fault_injection.proxy import Protocol
from emulator.ports import LOOPBACK, Network
from emulator.status_view import Row
from sam_template.repository import REPOSITORY

LOCAL_ANTHROPIC_KEY = "local"
"""What the secret holds for the fake, which takes any key."""
PRODUCTS_INDEX = "products"


class BackingServices:
    """The backing services of one emulation.

    `parameters` are the template's parameters that lead to them, `secrets` what the secret must hold for them, `rows`
    what the screen says of them: all known once `start` has returned.
    """

    def __init__(self, valkey_log: Path, network: Network) -> None:
        self._valkey_log = valkey_log
        self._network = network
        self._proxies: dict[str, Proxy] = {}
        self.parameters: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.rows: list[Row] = []

    @property
    def faults(self) -> Faults:
        """The faults of everything behind a proxy."""
        return Faults(self._proxies)

    async def start(self, resources: contextlib.AsyncExitStack) -> None:
        """Start what the environment does not name; `resources` stops it. Raises EmulatorError."""
        await asyncio.gather(
            self._start_redis(resources), self._start_elasticsearch(resources), self._start_anthropic(resources)
        )
        self.rows.sort()

    async def _start_redis(self, resources: contextlib.AsyncExitStack) -> None:
        if host := os.environ.get("REDIS_HOST"):
            port, tls = os.environ.get("REDIS_PORT", "6379"), os.environ.get("REDIS_TLS", "false")
            row = ("Redis", "yours", f"{host}:{port}")
            self._leads_to({"RedisHost": host, "RedisPort": port, "RedisTls": tls}, row)
            self.secrets["REDIS_PASSWORD"] = os.environ.get("REDIS_PASSWORD", "")
            return
        password = secrets.token_hex()
        valkey = Valkey(password=password, log=self._valkey_log)
        await resources.enter_async_context(valkey)
        address = await self.proxy(resources, "redis", valkey.host, valkey.port, "redis")
        host, _, port = address.partition(":")
        self._leads_to({"RedisHost": host, "RedisPort": port, "RedisTls": "false"}, ("Redis", valkey.version, address))
        self.secrets["REDIS_PASSWORD"] = password

    async def _start_elasticsearch(self, resources: contextlib.AsyncExitStack) -> None:
        if url := os.environ.get("ES_URL"):
            index = os.environ.get("ES_INDEX", PRODUCTS_INDEX)
            self._leads_to({"ElasticsearchUrl": url, "ElasticsearchIndex": index}, ("Elasticsearch", "yours", url))
            self.secrets["ES_API_KEY"] = os.environ.get("ES_API_KEY", "")
            return
        fake = await resources.enter_async_context(Elasticsearch())
        await _fill_index(fake.url)
        url = f"http://{await self.proxy(resources, 'elasticsearch', LOOPBACK, fake.port, 'http')}"
        self._leads_to({"ElasticsearchUrl": url, "ElasticsearchIndex": PRODUCTS_INDEX}, ("Elasticsearch", "fake", url))

    async def _start_anthropic(self, resources: contextlib.AsyncExitStack) -> None:
        if key := os.environ.get("ANTHROPIC_API_KEY"):
            url = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
            self._leads_to({"AnthropicBaseUrl": url}, ("Anthropic", "your key", url))
            self.secrets["ANTHROPIC_API_KEY"] = key
            return
        fake = await resources.enter_async_context(Anthropic())
        url = f"http://{await self.proxy(resources, 'anthropic', LOOPBACK, fake.port, 'http')}"
        self._leads_to({"AnthropicBaseUrl": url}, ("Anthropic", "fake", url))
        self.secrets["ANTHROPIC_API_KEY"] = LOCAL_ANTHROPIC_KEY

    def _leads_to(self, parameters: dict[str, str], row: Row) -> None:
        self.parameters |= parameters
        self.rows.append(row)

    async def proxy(
        self, resources: contextlib.AsyncExitStack, name: str, host: str, port: int, protocol: Protocol
    ) -> str:
        """Start a proxy in front of a backing service; return `host:port` as functions reach it.

        `resources` stops the proxy.
        """
        proxy = Proxy(host, port, name=name, protocol=protocol, host=self._network.listen)
        self._proxies[name] = await resources.enter_async_context(proxy)
        return f"{self._network.reached_as}:{proxy.port}"

    def observe_errors(self, name: str, on_error: Callable[[bytes], None]) -> None:
        """Call `on_error` with the head of each HTTP error of the backing service `name`, if it has a proxy."""
        if name in self._proxies:
            self._proxies[name].on_error = on_error


async def _fill_index(url: str) -> None:
    """Fill the Elasticsearch at `url` as a person does, with the assistant's own command. Raises EmulatorError."""
    command = [sys.executable, "-m", "shopping_bot.search.index", "--url", url, "--catalog", str(CATALOG)]
    path = {"PYTHONPATH": str(REPOSITORY / "shopbot_function")}
    process = await asyncio.create_subprocess_exec(
        *command, "--alias", PRODUCTS_INDEX, env={**os.environ, **path}, stdout=DEVNULL, stderr=PIPE
    )
    try:
        _, sentence = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise EmulatorError(sentence.decode(errors="replace").strip())
