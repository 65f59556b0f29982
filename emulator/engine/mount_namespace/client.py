"""The engine's side of the launcher: launch a process in a mount namespace of its own, and learn of its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emulator.engine.errors import EngineError
from emulator.engine.mount_namespace.file_system import FileSystem

_PACKAGES = str(Path(__file__).parents[3])
_MESSAGE_BYTES = 64 * 1024
_KILLED = -9
_START_SECONDS = 60


class Launcher:
    """The process that launches others. `reason` says why it cannot, "" when this machine lets it."""

    def __init__(self) -> None:
        self.reason = "mount namespaces are a feature of Linux"
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._numbers = itertools.count()
        self._ready: asyncio.Future[None] | None = None
        self._restarting = asyncio.Lock()
        self._launches: dict[int, asyncio.Future[tuple[int, asyncio.Future[int]]]] = {}
        self._ends: dict[int, asyncio.Future[int]] = {}
        """For each process that runs, the future of its return code."""

    async def start(self) -> None:
        """Start the launcher and let it find out whether this machine has mount namespaces for it."""
        if sys.platform != "linux":
            return
        loop = asyncio.get_running_loop()
        own, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        own.setblocking(False)
        self._ready = loop.create_future()
        self._control = own
        self.reason = "its launcher did not start"
        loop.add_reader(own, self._read)
        try:
            command = [sys.executable, "-B", "-S", "-P", "-m", "emulator.engine.mount_namespace.launcher"]
            self._process = await asyncio.create_subprocess_exec(
                *command,
                str(its.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                env={"PYTHONPATH": _PACKAGES},
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            self._close()
            return
        finally:
            its.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ready), _START_SECONDS)
        if self.reason:
            reason = self.reason
            await self.stop()
            self.reason = reason

    async def stop(self) -> None:
        """End the launcher. What it launched is left to those who launched it."""
        self._close()
        if self._process is not None:
            process, self._process = self._process, None
            await process.wait()

    async def launch(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: str,
        file_system: FileSystem,
        lifeline: int,
        output: int,
    ) -> tuple[int, asyncio.Future[int]]:
        """Start `command` in `folder` of `file_system`; return its id and the future of its return code.

        It finds `lifeline` at `launcher.LIFELINE_FD`; stdout and stderr go to `output`. Raises `EngineError` with the
        reason when it cannot be started.
        """
        control = await self._running()
        launch = {
            "command": list(command),
            "environment": dict(environment),
            "folder": folder,
            "file_system": asdict(file_system),
        }
        number = next(self._numbers)
        started: asyncio.Future[tuple[int, asyncio.Future[int]]] = asyncio.get_running_loop().create_future()
        self._launches[number] = started
        given = os.memfd_create("launch")
        try:
            _write_all(given, json.dumps(launch).encode())
            socket.send_fds(control, [str(number).encode()], [given, lifeline, output])
        except OSError as error:
            self._launches.pop(number, None)
            raise EngineError(f"The launcher of execution environments does not answer: {error}.") from error
        finally:
            os.close(given)
        return await started

    async def _running(self) -> socket.socket:
        """Return the socket of the launcher; start another one when it was killed."""
        async with self._restarting:
            if self._control is None:
                await self.stop()
                await self.start()
            if self._control is None:
                raise EngineError(f"Execution environments cannot be launched: {self.reason}.")
            return self._control

    def _read(self) -> None:
        while self._control is not None:
            try:
                data = self._control.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close()
                return
            self._take(json.loads(data))

    def _take(self, message: Mapping[str, Any]) -> None:
        if "usable" in message:
            self.reason = message["reason"] if not message["usable"] else ""
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(None)
        elif "launch" in message:
            self._answer(self._launches.pop(message["launch"]), message)
        elif ended := self._ends.pop(message["pid"], None):
            ended.set_result(message["status"])

    def _answer(self, started: asyncio.Future[tuple[int, asyncio.Future[int]]], message: Mapping[str, Any]) -> None:
        if started.done():  # cancelled: nobody holds the lifeline, so the process ends
            return
        if "error" in message:
            started.set_exception(EngineError(f"The function's process cannot be started: {message['error']}."))
        else:
            ended = asyncio.get_running_loop().create_future()
            self._ends[message["pid"]] = ended
            started.set_result((message["pid"], ended))

    def _close(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            asyncio.get_running_loop().remove_reader(control)
            control.close()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        for started in self._launches.values():
            if not started.done():
                started.set_exception(EngineError("The launcher of execution environments has ended."))
        self._launches.clear()
        for ended in self._ends.values():
            ended.set_result(_KILLED)
        self._ends.clear()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
