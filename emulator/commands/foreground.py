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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from emulator import options, status_view
from emulator.aws.ministack import MiniStack, MiniStackError, services_named
from emulator.command_names import exporting, spelled
from emulator.control import ask, running_or_lock
from emulator.errors import EmulatorError
from emulator.processes.ports import LOOPBACK, accepts, reserved
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.sam import build
from emulator.sam.sam_cli import invoke_command, process_environment
from emulator.sam.start_api import StartApi
from emulator.state_lock import StateLock

GATEWAY_PORTS = (*range(3002, 3022), 0)
"""Where the gateway of an emulator in the background listens: the first that is free (0: any). `sam` uses others."""
if TYPE_CHECKING:
    from emulator.emulation import Emulation

OnReachable = Callable[[RunningEmulator], Awaitable[None]]
READY_SECONDS = 60
_POLL_SECONDS = 0.1
_LISTENS_POLL_SECONDS = 0.02


@contextlib.asynccontextmanager
async def emulator(
    project: Project, paths: StatePaths, *, gateway_port: int | None = None, on_reachable: OnReachable | None = None
) -> AsyncIterator[tuple[RunningEmulator, Callable[[], Awaitable[str]]]]:
    """Yield the emulator of `paths`, one that runs already or one for the length of the block.

    The second value waits until that emulator dies and returns the sentence that says so. With `gateway_port` the
    emulator's gateway listens there as long as this process lives. `on_reachable` is called with an emulator that has
    an API and that this process makes, while its stack is being made.
    """
    running, lock = await running_or_lock(paths)
    if lock is not None:
        ports = () if gateway_port is None else (gateway_port,)
        async with _emulation(project, paths, lock, ports, on_reachable) as emulation:
            yield emulation.running, lambda: _ended(emulation)
    elif running is not None:
        if gateway_port is not None:
            owner = asdict(ProcessIdentity.current())
            await ask(running, "gateway", json.dumps({"port": gateway_port, "owner": owner}))
        async with _shown(paths.log):
            yield running, lambda: _gone(paths, running)


@contextlib.asynccontextmanager
async def _emulation(
    project: Project,
    paths: StatePaths,
    lock: StateLock,
    gateway_ports: Sequence[int],
    on_reachable: OnReachable | None = None,
) -> AsyncIterator[Emulation]:
    """Run an emulation for the length of the block."""
    is_embedded = not os.environ.get("AWS_ENDPOINT_URL")
    with lock:
        ministack = MiniStack(
            project.installed,
            log=paths.ministack_log,
            enforce_iam=options.enforces_iam(),
            services=services_named(project.template.read_text(encoding="utf-8", errors="replace")),
        )
        try:
            if is_embedded:
                await ministack.launch()
            prepared = asyncio.get_running_loop().run_in_executor(None, build.prepare, project, paths)
            try:
                # Imported here: that takes as long as MiniStack needs to start.
                from emulator import emulation as whole

                aws = ministack if is_embedded else None
                async with whole.Emulation(
                    project, paths, lock, prepared, aws, gateway_ports=gateway_ports, on_reachable=on_reachable
                ) as emulation:
                    yield emulation
            finally:
                await asyncio.gather(prepared, return_exceptions=True)
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
    return f"The emulator (process {running.process.pid}) is gone: {spelled('up')} or {spelled('start')} makes one."


async def _ended(emulation: Emulation) -> str:
    stopped = asyncio.create_task(emulation.stop_requested())
    await asyncio.wait((stopped, emulation.failure), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    return emulation.failure.result() if emulation.failure.done() else ""


async def start(project: Project, paths: StatePaths, port: int) -> None:
    """Run `sam local start-api` on `port` until a signal, the parent's end, or the end of something it needs.

    A template without an API has nothing for `sam` to serve: its functions run for events alone.
    """
    began = time.monotonic()
    with reserved(port, paths.ports):
        outcome = await _serve_api(project, paths, port, began)
    if outcome:
        raise EmulatorError(outcome)


async def _serve_api(project: Project, paths: StatePaths, port: int, began: float) -> str | None:
    sam = StartApi(project, paths, port)
    try:
        async with (
            interruptible() as interrupted,
            emulator(project, paths, on_reachable=sam.begin) as (running, ended),
        ):
            status = await ask(running, "status")
            if not status["has_api"]:
                _say_ready(status, port, began)
                return await _first(interrupted(), ended())
            try:
                waiting = interrupted(), ended()
                outcome = await _first(*waiting, _announced_by(sam, running, port, began))
                if outcome is None:
                    outcome = await _first(interrupted(), ended(), _sam_ended(sam))
            finally:
                await sam.stop()
            return outcome
    finally:
        await sam.stop()  # of a start that failed


async def _announced_by(sam: StartApi, running: RunningEmulator, port: int, began: float) -> str | None:
    """Return None when the API answers, having said what runs where, or the sentence for a `sam` that ended."""
    await sam.go_on(running)
    return await _first(_sam_ended(sam), _announce(running, port, began))


async def start_gateway(project: Project, paths: StatePaths, port: int) -> None:
    """Serve the template's APIs from `port` on, without `sam`, until a signal or the end of something it needs."""
    began = time.monotonic()
    with reserved(port, paths.ports):
        async with interruptible() as interrupted, emulator(project, paths, gateway_port=port) as (running, ended):
            _say_ready(await ask(running, "status"), port, began)
            outcome = await _first(interrupted(), ended())
    if outcome:
        raise EmulatorError(outcome)


async def _announce(running: RunningEmulator, port: int, began: float) -> None:
    """Return when the API answers, having said what runs where."""
    deadline = began + READY_SECONDS
    while not accepts(port):
        if time.monotonic() > deadline:
            raise EmulatorError(f"sam local start-api did not answer within {READY_SECONDS} s: see its lines above.")
        await asyncio.sleep(_LISTENS_POLL_SECONDS)
    _say_ready(await ask(running, "status"), port, began)


def _say_ready(status: Mapping[str, Any], port: int, began: float) -> None:
    served = f"http://{LOOPBACK}:{port}"
    if not status["has_api"]:
        served = f"no API, the functions wait for events; in another shell, {exporting()} points sam and aws here"
    sys.stdout.write(f"\n{status_view.render(status)}\n")
    sys.stdout.write(f"\nReady: {served} ({time.monotonic() - began:.1f} s; Ctrl-C stops everything)\n\n")
    sys.stdout.flush()


def _sam_variables(running: RunningEmulator, paths: StatePaths) -> dict[str, str]:
    return process_environment(running) | {"TMPDIR": str(paths.sam_temporary)}


async def _sam_ended(sam: StartApi) -> str:
    status = await sam.wait()
    return f"sam local start-api ended with status {status}: see its lines above."


async def invoke(project: Project, paths: StatePaths, function: str, event: Path | None) -> int:
    """Run `sam local invoke`, without an `event` with an empty one; return its exit status.

    A terminal's Ctrl-C reaches it too.
    """
    if event:
        _require_event(event)
    async with interruptible() as interrupted, emulator(project, paths) as (running, ended):
        command = invoke_command(project, paths, running, function, event)
        process = await asyncio.create_subprocess_exec(
            *command, env=_sam_variables(running, paths), cwd=project.root, stdin=asyncio.subprocess.DEVNULL
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
        raise EmulatorError(f"The event {event} cannot be read ({error.strerror}): name a JSON file.") from None
    except ValueError as error:
        raise EmulatorError(f"The event {event} is not JSON ({error}).") from None


async def serve(project: Project, paths: StatePaths, descriptor: int | None = None) -> None:
    """Run the emulator alone until it is stopped.

    `descriptor` is where the parent process locked the state folder for this one. Raises `EmulatorError`.
    """
    lock = StateLock(paths, descriptor) if descriptor is not None else (await running_or_lock(paths))[1]
    if lock is None:
        raise EmulatorError(f"An emulator is running already: {spelled('down')} ends it.")
    gateway_ports = () if options.runs_containers() else GATEWAY_PORTS
    async with (
        interruptible(with_parent=False) as interrupted,
        _emulation(project, paths, lock, gateway_ports) as emulation,
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
