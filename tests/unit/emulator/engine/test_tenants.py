"""Each tenant of a function has environments of its own, and only so many tenants keep idle ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

from emulator.engine.environment import Environment
from emulator.engine.function import Function
from emulator.engine.invocation import Invocation, Outcome
from emulator.engine.invoker import Invoker
from emulator.engine.tenants import MOST_TENANTS, Tenants


class NoLog:
    def write(self, line: str) -> None: ...

    def write_line(self, line: bytes) -> None: ...


class RecordingInvoker(Invoker):
    """Remembers whom it served, and answers when it may."""

    def __init__(self) -> None:
        super().__init__(Function("python3.13", "a.b", Path(), {}, "127.0.0.1", 0), self._no_environment, 1)
        self.served: list[str | None] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_closed = False

    async def invoke(self, invocation: Invocation) -> Outcome:
        self.served.append(invocation.tenant_id)
        await self.may_answer.wait()
        return Outcome(b"{}")

    async def close(self) -> None:
        self.is_closed = True

    async def _no_environment(self) -> Environment:
        raise NotImplementedError


def invocation(tenant: str | None) -> Invocation:
    return Invocation(b"{}", 3, "arn", NoLog(), tenant_id=tenant)


def test_each_tenant_has_an_invoker_of_its_own_and_the_first_one_that_of_the_function() -> None:
    async def scenario() -> list[list[str | None]]:
        made = [RecordingInvoker()]

        def make() -> Invoker:
            made.append(RecordingInvoker())
            return made[-1]

        tenants = Tenants(made[0], make)
        for tenant in ("blue", "green", None, "blue", "green"):
            await tenants.invoke(invocation(tenant))
        return [each.served for each in made]

    assert asyncio.run(scenario()) == [["blue", "blue"], ["green", "green"], [None]]


def test_one_tenant_too_many_takes_the_environments_of_the_one_that_was_idle_longest() -> None:
    async def scenario() -> list[str | None]:
        made = [RecordingInvoker()]

        def make() -> Invoker:
            made.append(RecordingInvoker())
            return made[-1]

        tenants = Tenants(made[0], make)
        await tenants.invoke(invocation("first"))
        busy = asyncio.create_task(tenants.invoke(invocation("busy")))
        await asyncio.sleep(0)
        made[1].may_answer.clear()
        busy_again = asyncio.create_task(tenants.invoke(invocation("busy")))
        await asyncio.sleep(0)
        for number in range(2, MOST_TENANTS):
            await tenants.invoke(invocation(f"tenant {number}"))
        assert not any(each.is_closed for each in made)
        await tenants.invoke(invocation("one too many"))
        await asyncio.sleep(0)
        closed = [each.served[0] for each in made if each.is_closed]
        made[1].may_answer.set()
        await asyncio.gather(busy, busy_again)
        await tenants.close()
        return closed

    assert asyncio.run(scenario()) == ["tenant 2"]
