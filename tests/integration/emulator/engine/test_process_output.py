"""What a process writes is passed on in order, and one that never stops writing holds nobody up."""

from __future__ import annotations

import asyncio
import os
import time

from emulator.engine.process import RuntimeProcess

PIPE_BYTES = 1024 * 1024
"""More than a pipe holds (pipe(7), "Pipe capacity")."""


def test_only_what_is_written_already_is_passed_on_at_once() -> None:
    async def scenario() -> None:
        passed = 0

        def take(data: bytes) -> None:
            nonlocal passed
            passed += len(data)
            assert passed <= PIPE_BYTES
            time.sleep(0.001)  # the writer is quicker than whoever takes it

        process = await RuntimeProcess.start(
            lambda _: ["/bin/sh", "-c", "exec yes"], environment=dict(os.environ), folder="/", on_output=take
        )
        try:
            time.sleep(0.2)  # noqa: ASYNC251 by then the pipe is full, and nobody has read from it
            process.drain()
            assert passed
        finally:
            passed = -1_000_000_000
            await process.kill()

    asyncio.run(scenario())


def test_what_was_written_last_is_passed_on_before_the_end() -> None:
    async def scenario() -> None:
        passed: list[bytes] = []
        process = await RuntimeProcess.start(
            lambda _: ["/bin/sh", "-c", "echo one; echo two"],
            environment=dict(os.environ),
            folder="/",
            on_output=passed.append,
        )
        await process.exited
        process.drain()
        assert b"".join(passed) == b"one\ntwo\n"
        await process.kill()

    asyncio.run(scenario())
