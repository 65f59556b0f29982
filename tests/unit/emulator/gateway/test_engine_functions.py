"""What functions write goes to the emulator's output, and holds nobody up when it is not read."""

from __future__ import annotations

import asyncio
import os

from emulator.gateway.engine_functions import OutputLog

LINE = b"x" * 999 + b"\n"


def test_lines_are_written_whole_and_in_order() -> None:
    async def scenario() -> None:
        read, write = os.pipe()
        log = OutputLog(write)
        log.write("START")
        log.write_line(b"said\n")
        await asyncio.sleep(0)
        assert os.read(read, 100) == b"START\nsaid\n"
        os.close(read)
        os.close(write)

    asyncio.run(scenario())


def test_an_output_that_nobody_reads_holds_up_nothing_and_says_what_it_left_out() -> None:
    async def scenario() -> None:
        read, write = os.pipe()
        log = OutputLog(write)
        async with asyncio.timeout(60):
            for _ in range(3000):
                log.write_line(LINE)
                await asyncio.sleep(0)
            os.set_blocking(read, False)
            received = b""
            while b"left out" not in received:
                try:
                    received += os.read(read, 65536)
                except BlockingIOError:
                    await asyncio.sleep(0.01)
        whole, _, told = received.rpartition(LINE)
        assert set((whole + LINE).split(b"\n")) == {b"x" * 999, b""}
        left_out = int(told.split()[0])
        assert received.count(LINE) + left_out == 3000
        assert len(received) < 2 * 1024 * 1024
        os.close(read)
        os.close(write)

    asyncio.run(scenario())


def test_an_output_that_is_closed_holds_up_nothing() -> None:
    async def scenario() -> None:
        read, write = os.pipe()
        os.close(read)
        log = OutputLog(write)
        log.write("START")
        await asyncio.sleep(0.01)
        os.close(write)

    asyncio.run(scenario())
