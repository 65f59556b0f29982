import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.engine.environment_pool import EnvironmentPool, PoolClosedError

PATIENCE = 0.05


class Fake:
    def __init__(self, number: int) -> None:
        self.number = number
        self.is_alive = True
        self.is_stale = False

    async def stop(self) -> None:
        self.is_alive = False


class Starter:
    """Starts fakes; each takes `seconds`, or fails while `failing`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.started: list[Fake] = []
        self.seconds = seconds
        self.failing = 0

    async def __call__(self) -> Fake:
        await asyncio.sleep(self.seconds)
        if self.failing:
            self.failing -= 1
            raise OSError("cannot start")
        self.started.append(Fake(len(self.started)))
        return self.started[-1]


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_short_requests_share_one_environment() -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=8, patience=5)

        async def request() -> None:
            environment = await pool.acquire()
            await asyncio.sleep(0.001)
            pool.release(environment)

        await asyncio.gather(*(request() for _ in range(20)))
        assert len(start.started) == 1

    run(scenario)


def test_long_requests_run_side_by_side() -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=8, patience=PATIENCE)
        first, second = await asyncio.gather(pool.acquire(), pool.acquire())
        assert first is not second
        assert len(start.started) == 2

    run(scenario)


def test_beyond_the_limit_requests_are_served_in_order() -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=1, patience=0.001)
        held = await pool.acquire()
        served: list[int] = []

        async def request(number: int) -> None:
            environment = await pool.acquire()
            served.append(number)
            pool.release(environment)

        waiting = []
        for number in range(5):
            waiting.append(asyncio.create_task(request(number)))
            await asyncio.sleep(0.01)
        assert served == []
        pool.release(held)
        await asyncio.gather(*waiting)
        assert served == [0, 1, 2, 3, 4]
        assert len(start.started) == 1

    run(scenario)


def test_the_environment_used_last_serves_next() -> None:
    async def scenario() -> None:
        pool = EnvironmentPool(Starter(), limit=8, patience=0)
        first, second = await asyncio.gather(pool.acquire(), pool.acquire())
        pool.release(first)
        pool.release(second)
        assert await pool.acquire() is second

    run(scenario)


@pytest.mark.parametrize("unfit", ["dead", "stale"])
def test_an_environment_that_is_no_longer_fit_does_not_serve(unfit: str) -> None:
    async def scenario() -> None:
        pool = EnvironmentPool(Starter(), limit=2, patience=0)
        environment = await pool.acquire()
        pool.release(environment)
        environment.is_alive, environment.is_stale = unfit != "dead", unfit == "stale"
        assert await pool.acquire() is not environment
        await asyncio.sleep(0)
        assert not environment.is_alive

    run(scenario)


def test_one_that_dies_in_service_is_replaced_for_who_waits() -> None:
    async def scenario() -> None:
        pool = EnvironmentPool(Starter(), limit=1, patience=0.001)
        held = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.02)
        held.is_alive = False
        pool.release(held)
        assert (await asyncio.wait_for(waiting, 60)).number == 1

    run(scenario)


def test_after_a_wave_of_deaths_those_who_wait_are_served_side_by_side() -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=4, patience=0.01)
        first = await asyncio.gather(*(pool.acquire() for _ in range(4)))
        waiting = [asyncio.create_task(pool.acquire()) for _ in range(4)]
        await asyncio.sleep(0.05)
        for environment in first:
            environment.is_alive = False
            pool.release(environment)
        second = await asyncio.wait_for(asyncio.gather(*waiting), 60)  # nobody gives one back meanwhile
        assert len(set(second)) == 4
        await pool.close()

    run(scenario)


def test_idle_ones_that_died_are_replaced_ahead_of_need() -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=4)
        pool.add(await start())
        start.started[0].is_alive = False
        pool.replace_unfit()
        await asyncio.sleep(0.01)
        assert [each.number for each in pool.environments()] == [1]

    run(scenario)


def test_a_failed_start_fails_one_request_and_not_the_next() -> None:
    async def scenario() -> None:
        start = Starter()
        start.failing = 1
        pool = EnvironmentPool(start, limit=1, patience=0)
        with pytest.raises(OSError, match="cannot start"):
            await pool.acquire()
        assert (await pool.acquire()).number == 0

    run(scenario)


def test_who_gives_up_waiting_takes_nothing() -> None:
    async def scenario() -> None:
        pool = EnvironmentPool(Starter(), limit=1, patience=0.001)
        held = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        pool.release(held)
        assert await asyncio.wait_for(pool.acquire(), 60) is held

    run(scenario)


def test_closing_stops_all_and_tells_who_waits() -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=1, patience=0.001)
        await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.01)
        await pool.close()
        with pytest.raises(PoolClosedError):
            await waiting
        with pytest.raises(PoolClosedError):
            await pool.acquire()
        assert not any(each.is_alive for each in start.started)

    run(scenario)


@settings(max_examples=30)
@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=25))
def test_never_two_requests_in_one_environment_nor_more_than_the_limit(
    limit: int, requests: list[tuple[bool, int]]
) -> None:
    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=limit, patience=0.001)
        busy: set[int] = set()

        async def request(dies: bool, milliseconds: int) -> None:
            environment = await pool.acquire()
            assert environment.number not in busy
            busy.add(environment.number)
            assert len(busy) <= limit
            assert pool.size <= limit
            await asyncio.sleep(milliseconds / 1000)
            busy.remove(environment.number)
            environment.is_alive = not dies
            pool.release(environment)

        await asyncio.wait_for(asyncio.gather(*(request(*each) for each in requests)), 60)
        await pool.close()

    run(scenario)


def test_one_that_starts_unfit_still_serves_who_waits_for_it() -> None:
    class Unfit(Fake):
        is_stale = True

        def __init__(self) -> None:
            super().__init__(0)
            self.is_stale = True

    async def start() -> Fake:
        return Unfit()

    async def scenario() -> None:
        pool = EnvironmentPool(start, limit=1, patience=0)
        for _ in range(2):
            pool.release(await asyncio.wait_for(pool.acquire(), 60))

    run(scenario)


def test_a_crowd_of_short_requests_starts_nothing_that_would_be_ready_later_than_they_are_served() -> None:
    async def scenario() -> None:
        start = Starter(seconds=10)
        pool = EnvironmentPool(start, limit=8, patience=0.02)
        pool.add(Fake(100), start_seconds=10)

        async def request() -> None:
            environment = await pool.acquire()
            await asyncio.sleep(0.002)
            pool.release(environment)

        await asyncio.gather(*(request() for _ in range(60)))
        assert pool.size == 1
        await pool.close()

    run(scenario)


def test_a_request_that_has_waited_as_long_as_a_start_takes_gets_one() -> None:
    async def scenario() -> None:
        start = Starter(seconds=0.1)
        pool = EnvironmentPool(start, limit=8, patience=0.01)
        pool.add(Fake(100), start_seconds=0.1)
        held = await pool.acquire()
        assert (await asyncio.wait_for(pool.acquire(), 60)).number == 0
        pool.release(held)
        await pool.close()

    run(scenario)


@pytest.mark.parametrize(("full", "started"), [(True, 2), (False, 3)])
def test_without_a_processor_to_spare_a_request_waits_longer_before_another_is_started(
    monkeypatch: pytest.MonkeyPatch, *, full: bool, started: int
) -> None:
    monkeypatch.setattr("emulator.engine.environment_pool._PROCESSORS", 2)

    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=8, patience=0.01, are_processors_full=lambda: full)
        busy = [await pool.acquire()]
        pool.start_ahead()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        busy.append(await pool.acquire())
        waiting = asyncio.create_task(pool.acquire())
        loop = asyncio.get_running_loop()
        began = loop.time()
        while len(start.started) < 3 and loop.time() - began < 0.05:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        seen, waited = len(start.started), loop.time() - began
        assert seen == started or waited > 0.1  # a slow machine may have waited long enough
        await asyncio.wait_for(waiting, 60)  # in the end it gets one
        assert len(start.started) == 3

    run(scenario)


@pytest.mark.parametrize("full", [True, False])
def test_a_crowd_of_short_requests_that_stays_gets_what_the_processors_can_run(
    monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    monkeypatch.setattr("emulator.engine.environment_pool._CROWD_SECONDS", 0.05)

    async def scenario() -> None:
        start = Starter()
        pool = EnvironmentPool(start, limit=8, patience=0.01, are_processors_full=lambda: full)
        pool.add(Fake(100), start_seconds=0.05)  # for none of them alone a start is worth its time
        ended = False

        async def requests() -> None:
            while not ended:
                environment = await pool.acquire()
                await asyncio.sleep(0.001)
                pool.release(environment)

        crowd = [asyncio.create_task(requests()) for _ in range(4)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not start.started and loop.time() - began < (0.3 if full else 60):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        ended = True
        await asyncio.gather(*crowd)
        assert bool(start.started) is not full
        await pool.close()

    run(scenario)
