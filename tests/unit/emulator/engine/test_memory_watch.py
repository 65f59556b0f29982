from __future__ import annotations

import asyncio

from emulator.engine.memory_watch import MemoryWatch

MIB = 1024 * 1024


class Process:
    def __init__(self) -> None:
        self.used = 10 * MIB
        self.children = 0
        self.temp_files = 0
        self.polls = 0

    def memory_bytes(self) -> int:
        self.polls += 1
        return self.used

    def memory_of_children_bytes(self) -> int:
        return self.children

    def memory_without_temp_files_bytes(self) -> int:
        return self.used - self.temp_files

    def peak_memory_bytes(self) -> int:
        return 0


async def watched(process: Process, seconds: float = 1.0) -> bool:
    """Return whether the limit of 100 MiB was found exceeded within `seconds`."""
    excess = asyncio.Event()
    watch = MemoryWatch(process, 100, excess.set)
    watch.watch()
    try:
        await asyncio.wait_for(excess.wait(), seconds)
    except TimeoutError:
        return False
    finally:
        watch.stop()
    return True


def test_a_process_within_its_memory_is_left_alone() -> None:
    assert not asyncio.run(watched(Process(), 0.3))


def test_a_process_over_its_memory_is_noticed() -> None:
    process = Process()
    process.used = 101 * MIB
    assert asyncio.run(watched(process))


def test_what_the_process_started_counts() -> None:
    process = Process()
    process.children = 95 * MIB
    assert asyncio.run(watched(process))


def test_mapped_files_of_tmp_do_not_count() -> None:
    process = Process()
    process.used, process.temp_files = 150 * MIB, 60 * MIB
    assert not asyncio.run(watched(process, 0.3))
    process.temp_files = 40 * MIB
    assert asyncio.run(watched(process))


def test_nothing_is_measured_between_invocations() -> None:
    async def scenario() -> None:
        process = Process()
        watch = MemoryWatch(process, 100, lambda: None)
        watch.watch()
        watch.rest()
        await asyncio.sleep(0.2)
        assert process.polls == 0
        process.used = 50 * MIB
        assert watch.peak_bytes() == 50 * MIB
        process.used = 20 * MIB
        assert watch.peak_bytes() == 50 * MIB

    asyncio.run(scenario())
