"""A child process that cannot outlive its parent, however the parent ends.

The parent holds the writing end of a pipe; a small watcher (this file, run as a program) holds the reading end and is
the parent of the command. When the pipe closes, because the parent asked for it or because it died by any signal, the
watcher ends the command's whole session: SIGTERM, then SIGKILL. POSIX is enough for that.

When the watcher itself is killed, the parent ends that session. On Linux the command gets a signal as well, so that it
ends even when both are killed at once (prctl(2), PR_SET_PDEATHSIG).

As a program: `python attached_process.py FD REPORT GRACE -- COMMAND [ARGUMENT ...]`. FD is the reading end of such a
pipe, REPORT the writing end of one that takes the session's id, and GRACE the seconds between the two signals.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # the watcher imports as little as it can: it is started before everything else
    import asyncio
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

DEFAULT_GRACE = 5.0
_WATCHER = os.path.abspath(__file__)  # noqa: PTH100 (the watcher imports no pathlib)
_POLL_SECONDS = 0.02
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class AttachedProcess:
    """A command whose session ends with this process. Make one with `start`.

    `stdout` and `stderr` are asyncio.StreamReaders when they were asked for as asyncio.subprocess.PIPE.
    """

    def __init__(self, watcher: asyncio.subprocess.Process, lifeline: int, report: int) -> None:
        self._watcher = watcher
        self._lifeline: int | None = lifeline
        self._report = report
        self.stdout = watcher.stdout
        self.stderr = watcher.stderr

    @classmethod
    async def start(
        cls,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: int | IO[bytes] | None = -3,  # subprocess.DEVNULL
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        grace: float = DEFAULT_GRACE,
    ) -> AttachedProcess:
        """Start `command` in a session of its own.

        `grace` is the time in seconds between SIGTERM and SIGKILL when this process dies without a `terminate`.
        The streams are as in subprocess.Popen, stdin being /dev/null. A command that cannot be executed ends with 127
        and a line on stderr. Raises OSError when not even the watcher can be started.
        """
        import asyncio

        reading_end, lifeline = os.pipe()  # neither is inherited by other children
        report, writing_end = os.pipe()
        try:
            watcher = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _WATCHER),
                *(str(reading_end), str(writing_end), str(grace), "--", *map(str, command)),
                env=env,
                cwd=cwd,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(reading_end, writing_end),
                start_new_session=True,  # Ctrl-C in the terminal is the parent's to handle
            )
        except BaseException:
            os.close(lifeline)
            os.close(report)
            raise
        finally:
            os.close(reading_end)
            os.close(writing_end)
        return cls(watcher, lifeline, report)

    @property
    def pid(self) -> int:
        """The watcher's process id; it lives exactly as long as the command."""
        return self._watcher.pid

    @property
    def returncode(self) -> int | None:
        """How the command ended: its exit status, 128 + n after signal n; None while it runs."""
        status = self._watcher.returncode
        return status if status is None or status >= 0 else 128 - status

    async def wait(self) -> int:
        """Return the exit status (as `returncode`) once the command has ended and its session is gone."""
        await self._watcher.wait()
        self._let_go()
        self._end_what_the_watcher_left()
        assert self.returncode is not None  # noqa: S101
        return self.returncode

    async def stop(self, number: int = signal.SIGTERM, grace: float = DEFAULT_GRACE) -> int:
        """End the command's session: signal `number`, after `grace` seconds SIGKILL. Return the exit status."""
        self._let_go(f"{int(number)} {grace}\n".encode())
        return await self.wait()

    async def terminate(self, grace: float = DEFAULT_GRACE) -> int:
        """End the command's session with SIGTERM, after `grace` seconds with SIGKILL. Return the exit status."""
        return await self.stop(signal.SIGTERM, grace)

    def _let_go(self, order: bytes = b"") -> None:
        """Close the lifeline, after a last word to the watcher."""
        if self._lifeline is None:
            return
        lifeline, self._lifeline = self._lifeline, None
        try:
            os.write(lifeline, order)
        except BrokenPipeError:
            pass  # it has ended already
        finally:
            os.close(lifeline)

    def _end_what_the_watcher_left(self) -> None:
        """End the session of a watcher that was killed; any other has ended it itself."""
        if self._report < 0:
            return
        report, self._report = self._report, -1
        session = os.read(report, 32)
        os.close(report)
        if session and (self._watcher.returncode or 0) < 0:
            _signal(set(_members(int(session))), signal.SIGKILL)


def watch(lifeline: int, report: int, grace: float, command: list[str]) -> int:
    """Run `command` until it ends or `lifeline` closes; return its exit status (128 + n after signal n).

    The id of the command's session is written to `report`.
    """
    import select

    reading, writing = os.pipe()
    os.set_inheritable(lifeline, False)
    os.set_inheritable(report, False)
    os.set_blocking(writing, False)
    os.set_blocking(lifeline, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for noticed in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(noticed, lambda *_: None)
    child = _spawn(command)
    try:
        os.write(report, str(child).encode())
    except BrokenPipeError:
        pass  # the parent is gone: the lifeline says so, too
    finally:
        os.close(report)
    status: int | None = None
    number: int = signal.SIGTERM
    while status is None:
        ready, _, _ = select.select([lifeline, reading], [], [])
        if reading in ready:
            received = os.read(reading, 64)
            status = _reap(child)
            if status is None and any(one != signal.SIGCHLD for one in received):
                break
        if lifeline in ready:
            order = os.read(lifeline, 64)
            if order:
                number, grace = int(order.split()[0]), float(order.split()[1])
            break
    return _end_session(child, status, number, grace)


def _spawn(command: list[str]) -> int:
    watcher = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        if sys.platform == "linux":
            _die_with_parent(watcher)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _die_with_parent(parent: int) -> None:
    """Have this process killed when `parent` ends by whatever signal."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(128 + signal.SIGKILL)


def _reap(child: int) -> int | None:
    ended, status = os.waitpid(child, os.WNOHANG)
    if not ended:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _end_session(child: int, status: int | None, first_signal: int, grace: float) -> int:
    """End every process of the child's session, whatever its process group; return the child's status."""
    deadline = time.monotonic() + grace
    number: int | None = first_signal
    while True:
        # The child by its id as well: it may not have reached its session yet.
        left = {*_members(child), child} if status is None else set(_members(child))
        if number is not None:
            _signal(left, number)
        if status is None:
            status = _reap(child)
        if status is not None and not _members(child):
            return status
        time.sleep(_POLL_SECONDS)
        number = signal.SIGKILL if time.monotonic() >= deadline else None


def _signal(processes: set[int], number: int) -> None:
    for pid in processes:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _members(session: int) -> list[int]:
    """Return the processes of a session, zombies left out where `/proc` tells."""
    found = []
    for pid in _process_ids():
        try:
            if os.getsid(pid) == session and not _is_zombie(pid):
                found.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return found


def _process_ids() -> list[int]:
    if os.path.isdir("/proc/self"):  # noqa: PTH112
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    with os.popen("ps -axo pid=") as listing:  # noqa: S605 (macOS has no /proc)
        return [int(line) for line in listing]


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False


if __name__ == "__main__":
    separator = sys.argv.index("--")
    descriptor, written, seconds = sys.argv[1:separator]
    sys.exit(watch(int(descriptor), int(written), float(seconds), sys.argv[separator + 1 :]))
