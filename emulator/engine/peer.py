"""Who is at the other end of a unix socket, and whether that process still runs.

A client of the engine that dies by any signal leaves its containers behind; they are removed when its process is gone.
"""

from __future__ import annotations

import socket
import struct
import sys
from dataclasses import dataclass

import psutil

_SOL_LOCAL, _LOCAL_PEERPID = 0, 2  # macOS, <sys/un.h>


@dataclass(frozen=True)
class Peer:
    """A client process; its start tells it from a later one with the same id."""

    pid: int
    started: float

    def is_running(self) -> bool:
        """Tell whether the process still runs; one that only waits to be reaped does not."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def peer_of(connection: socket.socket) -> Peer | None:
    """Return the process that opened the connection; None where the system does not tell."""
    pid = _peer_pid(connection)
    if not pid:
        return None
    try:
        return Peer(pid, psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _peer_pid(connection: socket.socket) -> int:
    try:
        if sys.platform == "darwin":
            return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
        if hasattr(socket, "SO_PEERCRED"):
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return int(struct.unpack("3i", credentials)[0])
    except OSError:
        pass
    return 0
