"""Who is at the other end of a connection: which process of a unix socket, whether the same user of a TCP one.

What only the emulator's own user may use listens on TCP where its client cannot use a unix socket. On Linux the
kernel tells whose the other end is (sock_diag(7)); elsewhere any user of the machine may connect.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import struct
import sys

from emulator.processes.process_identity import ProcessIdentity

_SOL_LOCAL, _LOCAL_PEERPID = 0, 2  # macOS, <sys/un.h>

# <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NLMSG_ERROR = 2
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI")
_SOCKET_ID = struct.Struct("!HH16s16s")
_ANY_INTERFACE_AND_COOKIE = struct.pack("=I8s", 0, b"\xff" * 8)
_ANSWER = struct.Struct("=4x48x12xII")
"""`struct inet_diag_msg`: family, state, timer, retransmissions; the socket's id; expires, queues; uid, inode."""
_ALL_STATES = 0xFFFFFFFF


def process_of(connection: socket.socket) -> ProcessIdentity | None:
    """Return the process that opened a unix socket's connection; None where the system does not tell."""
    return ProcessIdentity.of(_peer_pid(connection))


def is_same_user(client: tuple[str, int], server: tuple[str, int]) -> bool:
    """Tell whether the `client` of a TCP connection to `server` (IPv4 addresses and ports) is of this process's user.

    Root is every user. Who comes from another machine was let in on purpose, and where the system does not tell whose
    a socket is, everyone counts as the same user.
    """
    if not hasattr(socket, "AF_NETLINK") or not ipaddress.ip_address(client[0]).is_loopback:
        return True
    try:
        owner = _owner(client, server)
    except OSError as error:
        # Not there any more: it was closed as soon as it had sent something, and cannot be asked whose it was.
        return error.errno != errno.ENOENT
    uid, inode = owner
    return inode != 0 and uid in (os.getuid(), 0)  # a socket that its process has closed is said to be root's


def _owner(client: tuple[str, int], server: tuple[str, int]) -> tuple[int, int]:
    """Return the user id and the inode of the socket that `client` connected to `server` with. Raises OSError."""
    wanted = _SOCKET_ID.pack(client[1], server[1], socket.inet_aton(client[0]), socket.inet_aton(server[0]))
    request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _ALL_STATES) + wanted + _ANY_INTERFACE_AND_COOKIE
    message = _HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0) + request
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(message)
        answer = kernel.recv(4096)
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind == _NLMSG_ERROR:
        (number,) = struct.unpack_from("=i", answer, _HEADER.size)
        raise OSError(-number, os.strerror(-number))
    uid, inode = _ANSWER.unpack_from(answer, _HEADER.size)
    return uid, inode


def _peer_pid(connection: socket.socket) -> int:
    with contextlib.suppress(OSError):
        if sys.platform == "darwin":
            return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
        if hasattr(socket, "SO_PEERCRED"):
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return int(struct.unpack("3i", credentials)[0])
    return 0
