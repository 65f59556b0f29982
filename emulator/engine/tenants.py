"""The environments of a function by tenant: what serves one tenant never serves another.

Source: AWS Lambda Developer Guide, "Tenant isolation". SAM CLI names the tenant of a request in `X-Amz-Tenant-Id`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from emulator.engine.environment import Environment
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.invoker import Invoker

MOST_TENANTS = 16
"""So many tenants of a function keep idle environments; the one that has been idle longest loses them to the next."""


@dataclass
class _Served:
    invoker: Invoker
    under_way: int = 0


class Tenants:
    """Runs each invocation in environments of its tenant.

    The first tenant, which may be none, has those of `first`; `make` makes an invoker for each other one.
    """

    def __init__(self, first: Invoker, make: Callable[[], Invoker]) -> None:
        self._first = first
        self._make = make
        self._served: dict[str | None, _Served] = {}
        """In the order in which they were asked for last."""
        self._closing: set[asyncio.Task[None]] = set()

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation."""
        served = self._served.pop(invocation.tenant_id, None)
        if served is None:
            served = _Served(self._make() if self._served else self._first)
            self._drop_idle()
        self._served[invocation.tenant_id] = served
        served.under_way += 1
        try:
            return await served.invoker.invoke(invocation)
        finally:
            served.under_way -= 1

    def environments(self) -> list[Environment]:
        """Return the environments that are not starting."""
        return [environment for invoker in self._invokers() for environment in invoker.environments()]

    def maintain(self) -> None:
        """Replace idle environments that died or whose credentials are about to expire."""
        for invoker in self._invokers():
            invoker.maintain()

    def renew(self) -> None:
        """Replace every environment, because the code has changed."""
        for invoker in self._invokers():
            invoker.renew()

    def terminate(self) -> None:
        """Ask the environments' processes to end."""
        for invoker in self._invokers():
            invoker.terminate()

    async def close(self) -> None:
        """End every environment."""
        await asyncio.gather(*(invoker.close() for invoker in self._invokers()), *self._closing)

    def _invokers(self) -> list[Invoker]:
        others = [served.invoker for served in self._served.values() if served.invoker is not self._first]
        return [self._first, *others]

    def _drop_idle(self) -> None:
        for tenant, served in list(self._served.items()):
            if len(self._served) < MOST_TENANTS:
                return
            if served.invoker is not self._first and not served.under_way:
                del self._served[tenant]
                closing = asyncio.create_task(served.invoker.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
