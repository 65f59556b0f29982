"""Start processes in mount namespaces of their own: a small process beside the engine, which forks for each.

`python -m emulator.engine.mount_namespace.launcher SOCKET_FD`. The engine itself cannot: a user namespace needs a
process of one thread, and a fork of the engine would copy its page tables and block its event loop.

One message for each launch comes on the socket (SOCK_SEQPACKET): a number, and three file descriptors: a file that
holds the launch as JSON, the process's lifeline, its output. Answers are JSON: `{"usable": bool, "reason": str}` once,
then `{"launch": number, "pid": int}` or `{"launch": number, "error": str}`, and `{"pid": int, "status": int}` when the
process has ended (a negative status is the signal that ended it). It ends when the engine closes the socket.

Nothing but the standard library is imported.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any, NoReturn

from emulator.engine.mount_namespace.file_system import Bind, FileSystem, become_user_namespace, enter

LIFELINE_FD = 3
"""Where a launched process finds its lifeline."""
_FIRST_FREE_FD = 10
_MESSAGE_BYTES = 4096
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class _Launcher:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._starting: dict[int, tuple[int, int]] = {}
        """For each pipe on which a child says why it could not start: (launch, pid)."""

    def run(self) -> None:
        woken, wake = socket.socketpair()
        woken.setblocking(False)
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno())
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._take():
                        return
                elif key.fileobj is woken:
                    with contextlib.suppress(BlockingIOError):
                        woken.recv(_MESSAGE_BYTES)
                else:
                    self._started(key.fd)
            # After the pipes: a child that could not start is known as one before its end is told.
            self._reap()

    def say(self, **message: object) -> None:
        with contextlib.suppress(OSError):  # the engine has gone: the next read tells
            self._control.send(json.dumps(message).encode())

    def _take(self) -> bool:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 3, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:  # the engine was killed before it read all that it was told
            return False
        if not data:
            return False
        given, lifeline, output = (fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE_FD) for each in descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        failure, failure_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become(given, lifeline, output, failure_write)
        for descriptor in (given, lifeline, output, failure_write):
            os.close(descriptor)
        self._starting[failure] = int(data), pid
        self._selector.register(failure, selectors.EVENT_READ)
        return True

    def _started(self, failure: int) -> None:
        """Tell how a launch went: exec has closed the pipe, or the child has written why there was none."""
        launch, pid = self._starting.pop(failure)
        self._selector.unregister(failure)
        error = os.read(failure, _MESSAGE_BYTES).decode("utf-8", "replace")
        os.close(failure)
        if error:
            self.say(launch=launch, error=error)
        else:
            self.say(launch=launch, pid=pid)

    def _reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            for failure in [each for each, (_, pid) in self._starting.items() if pid == ended.si_pid]:
                self._started(failure)
            _, status = os.waitpid(ended.si_pid, 0)
            self.say(pid=ended.si_pid, status=os.waitstatus_to_exitcode(status))


def _become(given: int, lifeline: int, output: int, failure: int) -> NoReturn:
    """Become the process of a launch; say on `failure` why that is not possible."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        with open(given, "rb", closefd=False) as file:
            file.seek(0)
            launch = json.load(file)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2), (lifeline, LIFELINE_FD)):
            os.dup2(source, target)
        enter(FileSystem.of(launch["file_system"]))
        os.chdir(launch["folder"])
        os.execve(launch["command"][0], launch["command"], launch["environment"])  # noqa: S606
    except BaseException as error:
        os.write(failure, str(error)[:_MESSAGE_BYTES].encode("utf-8", "replace") or b"unknown")
    os._exit(1)


def _reason_against() -> str:
    """Return why this process can make no mount namespace, "" when it can. It has a user namespace then, if need be."""
    first = _reason_against_entering()
    if not first:
        return ""
    try:
        become_user_namespace()
    except OSError as error:
        return f"{first}; a user namespace: {error}"
    return _reason_against_entering()


def _reason_against_entering() -> str:
    reason, reason_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            enter(FileSystem((Bind("/etc", "/var/task"),), temp_mebibytes=1, hosts=("127.0.0.1 probe",)))
        except BaseException as error:
            os.write(reason_write, str(error).encode())
        os._exit(0)
    os.close(reason_write)
    os.waitpid(pid, 0)
    with open(reason, "rb") as file:
        return file.read().decode()


def main(arguments: list[str]) -> int:
    """Launch what the engine asks for until it closes the socket."""
    control: Any = socket.socket(fileno=int(arguments[1]))
    os.set_inheritable(control.fileno(), False)
    reason = _reason_against()
    launcher = _Launcher(control)
    launcher.say(usable=not reason, reason=reason)
    if not reason:
        launcher.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
