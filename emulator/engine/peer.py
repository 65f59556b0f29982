"""Who is at the other end of a unix socket.

A client of the engine that dies by any signal leaves its containers behind; they are removed when its process is gone.
"""

from __future__ import annotations

import socket
import struct
import sys

from emulator.process_identity import ProcessIdentity

_SOL_LOCAL, _LOCAL_PEERPID = 0, 2  # macOS, <sys/un.h>


def peer_of(connection: socket.socket) -> ProcessIdentity | None:
    """Return the process that opened the connection; None where the system does not tell."""
    return ProcessIdentity.of(_peer_pid(connection))


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
