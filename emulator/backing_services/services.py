"""The backing services that a project wants: the real one when the environment names it, else one started here.

`emulator.toml` names them (`emulator/project/declaration.py`). Those that are started here run side by side. Between
the functions and each of them is a proxy that can be told to fail (`emulator/fault_injection/`), and each has a key of
this run.
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
from pathlib import Path
from typing import NamedTuple, Protocol

from emulator import options
from emulator.backing_services.valkey import Valkey
from emulator.errors import EmulatorError
from emulator.fault_injection import Faults, Proxy, RedisWire, Wire
from emulator.processes.ports import LOOPBACK, Network
from emulator.project.declaration import BackingService
from emulator.status_view import Row

DEFAULT_INDEX = "documents"
"""The alias of an Elasticsearch whose declaration names none."""


class Supervised(Protocol):
    """A process that this emulation started."""

    async def wait(self) -> int:
        """Return its exit status once it has ended."""


class _Service(NamedTuple):
    """One backing service: what the status view says of it, and what leads the functions to it."""

    row: Row
    facts: Mapping[str, str]
    """What it tells, by the names of `declaration.FACTS`; a key that a real one has not got is empty."""


class BackingServices:
    """The backing services of one emulation.

    `parameters` are the template's parameters that lead to them, `secrets` what members each secret (by logical id)
    must hold for them, `rows` what the status view says of them: all known once `start` has returned. `failure` is
    done, with a sentence, when a process that is watched ends by itself.
    """

    def __init__(self, wanted: Mapping[str, BackingService], root: Path, valkey_log: Path, network: Network) -> None:
        """`wanted` are those of the project in the folder `root`, by their names."""
        self._wanted = wanted
        self._root = root
        self._valkey_log = valkey_log
        self._network = network
        self._proxies: dict[str, Proxy] = {}
        self._filling: list[asyncio.Task[None]] = []
        self.parameters: dict[str, str] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.rows: list[Row] = []
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def faults(self) -> Faults:
        """The faults of everything behind a proxy."""
        return Faults(self._proxies)

    async def start(self, resources: contextlib.AsyncExitStack) -> None:
        """Start what is wanted and the environment does not name; `resources` stops it. Raises EmulatorError.

        What is filled with samples is filled from then on: see `filled`.
        """
        starters = {"redis": self._redis, "elasticsearch": self._elasticsearch, "anthropic": self._anthropic}
        starting = [starters[name](resources, declared) for name, declared in self._wanted.items()]
        # None is stopped while it starts.
        for declared, outcome in zip(
            self._wanted.values(), await asyncio.gather(*starting, return_exceptions=True), strict=True
        ):
            if isinstance(outcome, BaseException):
                raise outcome
            self._fill_in(declared, outcome.facts)
            self.rows.append(outcome.row)
        self.rows.sort()

    async def filled(self) -> None:
        """Return once what is to be filled is full. Raises EmulatorError."""
        await asyncio.gather(*self._filling)

    def _fill_in(self, declared: BackingService, facts: Mapping[str, str]) -> None:
        self.parameters |= {name: facts[fact] for name, fact in declared.parameters.items()}
        for secret, members in declared.secrets.items():
            self.secrets.setdefault(secret, {}).update({name: facts[fact] for name, fact in members.items()})

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

    async def _redis(self, resources: contextlib.AsyncExitStack, _: BackingService) -> _Service:
        if host := os.environ.get("REDIS_HOST"):
            port, tls = os.environ.get("REDIS_PORT", "6379"), os.environ.get("REDIS_TLS", "false")
            cluster, key = os.environ.get("REDIS_CLUSTER", "false"), os.environ.get("REDIS_PASSWORD", "")
            facts = {"host": host, "port": port, "tls": tls, "cluster": cluster, "password": key}
            return _Service(("Redis", "yours", f"{host}:{port}"), facts)
        key = secrets.token_urlsafe()
        valkey = await resources.enter_async_context(Valkey(password=key, log=self._valkey_log))
        self.watch(resources, "Valkey", valkey, self._valkey_log)
        address = await self.proxy(resources, "redis", valkey.port, RedisWire())
        host, __, port = address.rpartition(":")
        facts = {"host": host, "port": port, "tls": "false", "cluster": "false", "password": key}
        return _Service(("Redis", valkey.version, address), facts)

    async def _elasticsearch(self, resources: contextlib.AsyncExitStack, declared: BackingService) -> _Service:
        index = declared.index or DEFAULT_INDEX
        if url := options.service_url("ES_URL", "ES_API_KEY"):
            facts = {
                "url": url,
                "index": os.environ.get("ES_INDEX", index),
                "api_key": os.environ.get("ES_API_KEY", ""),
            }
            return _Service(("Elasticsearch", "yours", url), facts)
        from emulator.backing_services.elasticsearch import WIRE, Elasticsearch  # not without need: tantivy is large

        key = base64.b64encode(f"emulator:{secrets.token_urlsafe()}".encode()).decode()
        fake = await resources.enter_async_context(Elasticsearch(api_key=key))
        if declared.fill:
            facts = {"url": fake.url, "index": index, "api_key": key}
            filling = asyncio.create_task(_fill_index(declared, self._root, facts))
            self._filling.append(filling)
            resources.push_async_callback(asyncio.wait, [filling])
            resources.callback(filling.cancel)
        url = f"http://{await self.proxy(resources, 'elasticsearch', fake.port, WIRE)}"
        return _Service(("Elasticsearch", "fake", url), {"url": url, "index": index, "api_key": key})

    async def _anthropic(self, resources: contextlib.AsyncExitStack, _: BackingService) -> _Service:
        if key := os.environ.get("ANTHROPIC_API_KEY"):
            url = options.service_url("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "https://api.anthropic.com")
            return _Service(("Anthropic", "your key", url), {"url": url, "api_key": key})
        from emulator.backing_services.anthropic import WIRE, Anthropic  # not without need: pydantic is large

        key = f"sk-ant-{secrets.token_urlsafe()}"
        fake = await resources.enter_async_context(Anthropic(api_key=key))
        url = f"http://{await self.proxy(resources, 'anthropic', fake.port, WIRE)}"
        return _Service(("Anthropic", "fake", url), {"url": url, "api_key": key})


async def _fill_index(declared: BackingService, root: Path, facts: Mapping[str, str]) -> None:
    """Fill an Elasticsearch as a person does, with the project's own command in `root`. Raises EmulatorError.

    The command has the key in the variable ES_API_KEY: a command line is for all to see.
    """
    known = {"{python}": sys.executable, "{url}": facts["url"], "{index}": facts["index"]}
    command = [known.get(word, word) for word in declared.fill]
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=root,
            env={**os.environ, **declared.fill_environment, "ES_API_KEY": facts["api_key"]},
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
        )
    except OSError as error:
        raise EmulatorError(
            f"{command[0]}, which emulator.toml names to fill Elasticsearch, cannot be run ({error.strerror}): correct "
            "`fill`."
        ) from error
    try:
        _, sentence = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):  # it may have ended a moment ago
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        said = sentence.decode(errors="replace").strip()
        raise EmulatorError(
            said or f"{command[0]} could not fill Elasticsearch (status {process.returncode}): run it alone."
        )
