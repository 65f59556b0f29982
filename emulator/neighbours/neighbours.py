"""Redis, Elasticsearch and Anthropic: the real one when the environment names it, else a stand-in of this emulator.

Between the functions and each stand-in is a relay that can be told to fail (`emulator/neighbours/faults/`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from emulator.neighbours.anthropic import Anthropic
from emulator.neighbours.elasticsearch import Elasticsearch
from emulator.neighbours.faults import Faults, Relay
from emulator.neighbours.faults.relay import Protocol
from emulator.neighbours.redis import Redis
from emulator.neighbours.search_index import ALIAS, fill
from emulator.ports import LOOPBACK, Network
from emulator.screen import Row

LOCAL_ANTHROPIC_KEY = "local"
"""What the secret holds for the stand-in, which takes any key."""
LOCAL_REDIS_PASSWORD = "local"  # noqa: S105 it guards nothing but this machine's loopback interface


class Neighbours:
    """The neighbours of one emulation.

    `parameters` are the template's parameters that lead to them, `secrets` what the secret must hold for them, `rows`
    what the screen says of them: all known once `start` has returned.
    """

    def __init__(self, redis_log: Path, network: Network) -> None:
        self._redis_log = redis_log
        self._network = network
        self._relays: dict[str, Relay] = {}
        self.parameters: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.rows: list[Row] = []

    @property
    def faults(self) -> Faults:
        """The faults of everything behind a relay."""
        return Faults(self._relays)

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
        redis = Redis(password=LOCAL_REDIS_PASSWORD, log=self._redis_log)
        await resources.enter_async_context(redis)
        address = await self.relay(resources, "redis", redis.host, redis.port, "redis")
        host, _, port = address.partition(":")
        self._leads_to({"RedisHost": host, "RedisPort": port, "RedisTls": "false"}, ("Redis", redis.kind, address))
        self.secrets["REDIS_PASSWORD"] = LOCAL_REDIS_PASSWORD

    async def _start_elasticsearch(self, resources: contextlib.AsyncExitStack) -> None:
        if url := os.environ.get("ES_URL"):
            index = os.environ.get("ES_INDEX", ALIAS)
            self._leads_to({"ElasticsearchUrl": url, "ElasticsearchIndex": index}, ("Elasticsearch", "yours", url))
            self.secrets["ES_API_KEY"] = os.environ.get("ES_API_KEY", "")
            return
        stand_in = await resources.enter_async_context(Elasticsearch())
        filling = asyncio.ensure_future(asyncio.to_thread(fill, stand_in.url))
        # A thread cannot be cancelled: the stand-in stays until it is done.
        resources.push_async_callback(asyncio.wait, [filling])
        await asyncio.shield(filling)
        url = f"http://{await self.relay(resources, 'elasticsearch', LOOPBACK, stand_in.port, 'http')}"
        self._leads_to({"ElasticsearchUrl": url, "ElasticsearchIndex": ALIAS}, ("Elasticsearch", "stand-in", url))

    async def _start_anthropic(self, resources: contextlib.AsyncExitStack) -> None:
        if key := os.environ.get("ANTHROPIC_API_KEY"):
            url = os.environ.get("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
            self._leads_to({"AnthropicBaseUrl": url}, ("Anthropic", "your key", url))
            self.secrets["ANTHROPIC_API_KEY"] = key
            return
        stand_in = await resources.enter_async_context(Anthropic())
        url = f"http://{await self.relay(resources, 'anthropic', LOOPBACK, stand_in.port, 'http')}"
        self._leads_to({"AnthropicBaseUrl": url}, ("Anthropic", "stand-in", url))
        self.secrets["ANTHROPIC_API_KEY"] = LOCAL_ANTHROPIC_KEY

    def _leads_to(self, parameters: dict[str, str], row: Row) -> None:
        self.parameters |= parameters
        self.rows.append(row)

    async def relay(
        self, resources: contextlib.AsyncExitStack, name: str, host: str, port: int, protocol: Protocol
    ) -> str:
        """Put a relay, which `resources` stops, in front of a neighbour; return `host:port` as functions reach it."""
        relay = Relay(host, port, name=name, protocol=protocol, host=self._network.listen)
        self._relays[name] = await resources.enter_async_context(relay)
        return f"{self._network.reached_as}:{relay.port}"

    def observe_errors(self, name: str, on_error: Callable[[bytes], None]) -> None:
        """Have `on_error` called with the head of each HTTP error of the neighbour `name`, if it is behind a relay."""
        if name in self._relays:
            self._relays[name].on_error = on_error
