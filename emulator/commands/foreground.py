"""The emulator in the foreground: around `sam local start-api`, around `sam local invoke`, or alone."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from emulator import options, status_view
from emulator.aws.ministack import MiniStack, MiniStackError
from emulator.control import ask, running_or_lock
from emulator.errors import EmulatorError
from emulator.paths import INSTALLED, RunningEmulator, StatePaths
from emulator.processes.attached_process import AttachedProcess
from emulator.processes.ports import LOOPBACK, accepts, reserved
from emulator.processes.process_identity import ProcessIdentity
from emulator.sam_cli import invoke_command, process_environment, start_api_command
from emulator.state_lock import StateLock
from sam_template.repository import REPOSITORY

GATEWAY_PORTS = (*range(3002, 3022), 0)
"""Where the gateway of an emulator in the background listens: the first that is free (0: any). `sam` uses others."""
if TYPE_CHECKING:
    from emulator.emulation import Emulation

READY_SECONDS = 60
SAM_STOP_SECONDS = 5
_POLL_SECONDS = 0.1


@contextlib.asynccontextmanager
async def emulator(
    paths: StatePaths, *, gateway_port: int | None = None
) -> AsyncIterator[tuple[RunningEmulator, Callable[[], Awaitable[str]]]]:
    """Yield the emulator of `paths`, one that runs already or one for the length of the block.

    The second value waits until that emulator dies and returns the sentence that says so. With `gateway_port` the
    emulator's gateway listens there as long as this process lives.
    """
    running, lock = await running_or_lock(paths)
    if lock is not None:
        async with _emulation(paths, lock, () if gateway_port is None else (gateway_port,)) as emulation:
            yield emulation.running, lambda: _ended(emulation)
    elif running is not None:
        if gateway_port is not None:
            owner = asdict(ProcessIdentity.current())
            await ask(running, "gateway", json.dumps({"port": gateway_port, "owner": owner}))
        async with _shown(paths.log):
            yield running, lambda: _gone(paths, running)


@contextlib.asynccontextmanager
async def _emulation(paths: StatePaths, lock: StateLock, gateway_ports: Sequence[int]) -> AsyncIterator[Emulation]:
    """Run an emulation for the length of the block."""
    is_embedded = not os.environ.get("AWS_ENDPOINT_URL")
    with lock:
        ministack = MiniStack(INSTALLED, log=paths.ministack_log, enforce_iam=options.enforces_iam())
        try:
            if is_embedded:
                await ministack.launch()
            # Imported here: that takes as long as MiniStack needs to start.
            from emulator import emulation as whole

            aws = ministack if is_embedded else None
            async with whole.Emulation(paths, lock, aws, gateway_ports=gateway_ports) as emulation:
                yield emulation
        except MiniStackError as error:
            raise EmulatorError(str(error)) from error
        finally:
            await ministack.stop()


@contextlib.asynccontextmanager
async def _shown(log: Path) -> AsyncIterator[None]:
    """Show on this terminal what an emulator in the background writes to `log` during the block."""

    async def follow() -> None:
        while True:
            sys.stderr.write(written.read())
            await asyncio.sleep(_POLL_SECONDS)

    with _at_its_end(log) as written:
        following = asyncio.create_task(follow())
        try:
            yield
        finally:
            following.cancel()
            sys.stderr.write(written.read())


def _at_its_end(log: Path) -> TextIO:
    if not log.exists():
        return io.StringIO()  # the emulator runs in another terminal, which shows it
    written = log.open(errors="replace")
    written.seek(0, os.SEEK_END)
    return written


async def _gone(paths: StatePaths, running: RunningEmulator) -> str:
    while paths.running() == running:  # noqa: ASYNC110 another process ends it
        await asyncio.sleep(_POLL_SECONDS)
    return f"The emulator (process {running.process.pid}) is gone: `make up` or `make start` starts a new one."


async def _ended(emulation: Emulation) -> str:
    stopped = asyncio.create_task(emulation.stop_requested())
    await asyncio.wait((stopped, emulation.failure), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    return emulation.failure.result() if emulation.failure.done() else ""


async def start(paths: StatePaths, port: int) -> None:
    """Run `sam local start-api` on `port` until a signal, the parent's end, or the end of something it needs."""
    began = time.monotonic()
    with reserved(port, paths.ports):
        outcome = await _serve_api(paths, port, began)
    if outcome:
        raise EmulatorError(outcome)


async def _serve_api(paths: StatePaths, port: int, began: float) -> str | None:
    async with interruptible() as interrupted, emulator(paths) as (running, ended):
        command = start_api_command(paths, running, port)
        sam = await AttachedProcess.start(command, env=process_environment(running), cwd=REPOSITORY)
        try:
            outcome = await _first(interrupted(), ended(), _sam_ended(sam), _announce(running, port, began))
            if outcome is None:
                outcome = await _first(interrupted(), ended(), _sam_ended(sam))
        finally:
            await sam.terminate(SAM_STOP_SECONDS)
    return outcome


async def start_gateway(paths: StatePaths, port: int) -> None:
    """Serve the template's APIs from `port` on, without `sam`, until a signal or the end of something it needs."""
    began = time.monotonic()
    with reserved(port, paths.ports):
        async with interruptible() as interrupted, emulator(paths, gateway_port=port) as (running, ended):
            await _say_ready(running, port, began)
            outcome = await _first(interrupted(), ended())
    if outcome:
        raise EmulatorError(outcome)


async def _announce(running: RunningEmulator, port: int, began: float) -> None:
    """Return when the API answers, having said what runs where."""
    deadline = began + READY_SECONDS
    while not accepts(port):
        if time.monotonic() > deadline:
            raise EmulatorError(f"sam local start-api did not answer within {READY_SECONDS} s: see its lines above.")
        await asyncio.sleep(_POLL_SECONDS)
    await _say_ready(running, port, began)


async def _say_ready(running: RunningEmulator, port: int, began: float) -> None:
    sys.stdout.write(f"\n{status_view.render(await ask(running, 'status'))}\n")
    sys.stdout.write(
        f"\nReady: http://{LOOPBACK}:{port} ({time.monotonic() - began:.1f} s; Ctrl-C stops everything)\n\n"
    )
    sys.stdout.flush()


async def _sam_ended(sam: AttachedProcess) -> str:
    status = await sam.wait()
    return f"sam local start-api ended with status {status}: see its lines above."


async def invoke(paths: StatePaths, function: str, event: Path) -> int:
    """Run `sam local invoke` and return its exit status. A terminal's Ctrl-C reaches it too."""
    _require_event(event)
    async with interruptible() as interrupted, emulator(paths) as (running, ended):
        command = invoke_command(paths, running, function, event)
        process = await asyncio.create_subprocess_exec(
            *command, env=process_environment(running), cwd=REPOSITORY, stdin=asyncio.subprocess.DEVNULL
        )
        waiting = asyncio.ensure_future(process.wait())
        await _first(interrupted(), ended(), waiting)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        return await process.wait()


def _require_event(event: Path) -> None:
    try:
        json.loads(event.read_bytes())
    except OSError as error:
        raise EmulatorError(f"The event {event} cannot be read ({error.strerror}): name a file of events/.") from None
    except ValueError as error:
        raise EmulatorError(f"The event {event} is not JSON ({error}).") from None


async def serve(paths: StatePaths, descriptor: int | None = None) -> None:
    """Run the emulator alone until it is stopped.

    `descriptor` is where the parent process locked the state folder for this one. Raises `EmulatorError`.
    """
    lock = StateLock(paths, descriptor) if descriptor is not None else (await running_or_lock(paths))[1]
    if lock is None:
        raise EmulatorError("An emulator is running already: `make down` ends it.")
    gateway_ports = () if options.runs_containers() else GATEWAY_PORTS
    async with (
        interruptible(with_parent=False) as interrupted,
        _emulation(paths, lock, gateway_ports) as emulation,
    ):
        sys.stdout.write(f"The emulator runs as process {os.getpid()}: {emulation.running.endpoint_url}\n")
        sys.stdout.flush()
        outcome = await _first(interrupted(), _ended(emulation))
    if outcome:
        raise EmulatorError(outcome)


@contextlib.asynccontextmanager
async def interruptible(*, with_parent: bool = True) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Turn SIGINT, SIGTERM, SIGHUP and the end of the parent process into an awaitable that returns an empty string."""
    loop, event, parent = asyncio.get_running_loop(), asyncio.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, event.set)

    async def interrupted() -> str:
        while not event.is_set() and (not with_parent or os.getppid() == parent):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), 0.5)
        return ""

    yield interrupted


async def _first(*awaitables: Awaitable[str | int | None]) -> str | None:
    """Return what the first to finish returns, having cancelled the others; raise what it raises."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        result = next(iter(done)).result()
        return result if isinstance(result, str) else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
