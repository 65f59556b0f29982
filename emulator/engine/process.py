"""A process of the function's runtime: its own session, its own temp files, a lifeline to the engine."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from emulator.engine.mount_namespace.client import Launcher
from emulator.engine.mount_namespace.file_system import TEMP_DIR, FileSystem
from emulator.engine.mount_namespace.launcher import LIFELINE_FD

_READ_BYTES = 64 * 1024
_STATUS_BYTES = 4096
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class RuntimeProcess:
    """A running process. `exited` is done when it has ended; a negative return code is the signal that ended it."""

    def __init__(
        self,
        pid: int,
        exited: asyncio.Future[int],
        lifeline: int,
        output: int,
        temp_dir: Path | None,
        on_output: Callable[[bytes], None],
    ) -> None:
        self.pid = pid
        self.temp_dir = temp_dir
        self.exited = exited
        self._lifeline = lifeline
        self._output = output
        self._on_output = on_output
        self._ps: psutil.Process | None = None
        self._status = self._statm = -1
        """The open /proc/PID/status, which is read after each invocation, and /proc/PID/statm, read while one runs."""

    @classmethod
    async def start(
        cls,
        command: Callable[[int], Sequence[str]],
        *,
        environment: Mapping[str, str],
        folder: str,
        on_output: Callable[[bytes], None],
        temp_dir: Path | None = None,
        launcher: Launcher | None = None,
        file_system: FileSystem | None = None,
    ) -> RuntimeProcess:
        """Start `command(lifeline)` in `folder`; what it writes to stdout and stderr goes to `on_output`, in order.

        With a `file_system` the `launcher` starts it there. `temp_dir` is removed after the process. Raises `OSError`
        or `EngineError`.
        """
        lifeline_read, lifeline_write = os.pipe()
        output_read, output_write = os.pipe()
        try:
            if launcher is not None and file_system is not None:
                pid, exited = await launcher.launch(
                    command(LIFELINE_FD),
                    environment=environment,
                    folder=folder,
                    file_system=file_system,
                    lifeline=lifeline_read,
                    output=output_write,
                )
            else:
                process = await asyncio.create_subprocess_exec(
                    *command(lifeline_read),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output_write,
                    stderr=output_write,
                    pass_fds=[lifeline_read],
                    cwd=folder,
                    env=dict(environment),
                    start_new_session=True,
                )
                pid, exited = process.pid, asyncio.ensure_future(process.wait())
        except BaseException:
            os.close(lifeline_write)
            os.close(output_read)
            raise
        finally:
            os.close(lifeline_read)
            os.close(output_write)
        os.set_blocking(output_read, False)
        running = cls(pid, exited, lifeline_write, output_read, temp_dir, on_output)
        asyncio.get_running_loop().add_reader(output_read, running._read)
        return running

    def drain(self) -> None:
        """Pass on what the process has written so far, and not what it goes on to write meanwhile."""
        left = self._unread_bytes()
        while left > 0 and (read := self._read()):
            left -= read

    def _unread_bytes(self) -> int:
        try:
            return int.from_bytes(fcntl.ioctl(self._output, termios.FIONREAD, bytes(4)), sys.byteorder)
        except (OSError, ValueError):  # it is closed
            return 0

    def memory_bytes(self) -> int:
        """Return the resident memory of the process and those it started."""
        try:
            if sys.platform == "linux":
                return self._resident_bytes()
            if self._ps is None:
                self._ps = psutil.Process(self.pid)
            return int(self._ps.memory_info().rss)
        except psutil.Error:
            return 0

    def _resident_bytes(self) -> int:
        """Return the resident memory from the open /proc/PID/statm (proc(5)): twenty times a second for each."""
        try:
            if self._statm < 0 and self._output >= 0:
                self._statm = os.open(f"/proc/{self.pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
            return int(os.pread(self._statm, _STATUS_BYTES, 0).split()[1]) * _PAGE_BYTES
        except (OSError, ValueError, IndexError):
            return 0

    def memory_of_children_bytes(self) -> int:
        """Return the resident memory of the processes that this one started; dearer to find out."""
        total = 0
        for child in _descendants(self.pid):
            with contextlib.suppress(psutil.Error):
                total += int(child.memory_info().rss)
        return total

    def memory_without_temp_files_bytes(self) -> int:
        """Return the resident memory without mapped files of /tmp (proc(5), /proc/PID/smaps).

        /tmp is a disk in Lambda: what is mapped of it can be written back.
        """
        total, counts = 0, True
        try:
            for line in Path(f"/proc/{self.pid}/smaps").read_text(errors="replace").splitlines():
                fields = line.split(None, 5)
                if not fields[0].endswith(":"):
                    counts = not (len(fields) > 5 and fields[5].startswith(f"{TEMP_DIR}/"))
                elif counts and fields[0] == "Rss:":
                    total += int(fields[1]) * 1024
        except (OSError, ValueError, IndexError):
            return self.memory_bytes()
        return total

    def peak_memory_bytes(self) -> int:
        """Return the largest resident memory so far; 0 where the system does not tell."""
        try:
            if self._status < 0 and self._output >= 0:  # once closed, another process may have the id
                self._status = os.open(f"/proc/{self.pid}/status", os.O_RDONLY | os.O_CLOEXEC)
            status = os.pread(self._status, _STATUS_BYTES, 0)
            return int(status[status.index(b"VmHWM:") + 6 :].split(None, 1)[0]) * 1024
        except (OSError, ValueError, IndexError):
            return 0

    def terminate(self) -> None:
        """Ask the process group to end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    async def kill(self) -> None:
        """End every process of the session, and remove the temp dir if it has one."""
        # Also when the leader has ended: what it started may not have.
        await asyncio.to_thread(_kill_session, self.pid)
        await self.exited
        self._close()
        if self.temp_dir is not None:
            await asyncio.to_thread(shutil.rmtree, self.temp_dir, ignore_errors=True)

    def _close(self) -> None:
        if self._output < 0:
            return
        self.drain()
        asyncio.get_running_loop().remove_reader(self._output)
        os.close(self._output)
        os.close(self._lifeline)
        self._output = -1
        for descriptor in (self._status, self._statm):
            if descriptor >= 0:
                os.close(descriptor)
        self._status = self._statm = -1

    def _read(self) -> int:
        """Pass on what is there, and return how many bytes that were."""
        if self._output < 0:
            return 0
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if data:
            self._on_output(data)
            return len(data)
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().remove_reader(self._output)
        return 0


def _descendants(pid: int) -> list[psutil.Process]:
    """Return the processes below `pid`.

    Where the kernel lists a thread's children (proc(5), /proc/PID/task/TID/children) this costs a hundredth of looking
    at every process of the machine.
    """
    found: list[psutil.Process] = []
    parents = [pid]
    try:
        while parents:
            tasks = Path(f"/proc/{parents.pop()}/task")
            if not tasks.is_dir():
                continue  # it has ended
            for task in tasks.iterdir():
                children = [int(each) for each in (task / "children").read_bytes().split()]
                parents += children
                for child in children:
                    with contextlib.suppress(psutil.Error):
                        found.append(psutil.Process(child))
    except OSError:
        found = []
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(pid).children(recursive=True)
    return found


def _kill_session(leader: int) -> None:
    """Kill the leader's group, then those of its session or its descendants that have a group of their own."""
    descendants: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        descendants = psutil.Process(leader).children(recursive=True)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for process in descendants:
        with contextlib.suppress(psutil.Error):
            process.kill()
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
