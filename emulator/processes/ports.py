"""Free ports, sentences for busy ones, and where functions find what listens on them."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from emulator.command_names import option, spelled
from emulator.errors import EmulatorError

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65535
_LISTENED_PORTS = range(20_000, 32_768)
"""Below Linux's `ip_local_port_range` (32768 and up) and the dynamic ports of RFC 6335, section 6 (49152 and up)."""


class Network(NamedTuple):
    """Where backing services listen so that functions reach them, and the host under which a function does."""

    listen: str = LOOPBACK
    reached_as: str = LOOPBACK


def free_port() -> int:
    """Return a TCP port that nothing listens on at this moment.

    It is none that the system gives to outgoing connections: one of those may take it before it is listened on.
    """
    first = secrets.randbelow(len(_LISTENED_PORTS))
    for port in itertools.chain(_LISTENED_PORTS[first:], _LISTENED_PORTS[:first]):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise EmulatorError("Every port from 20000 to 32767 is taken: stop what listens on them.")


def parse_port(text: str) -> int:
    """Return the port that `text` names. Raises `EmulatorError` with the remedy when it names none."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= HIGHEST_PORT):
        raise EmulatorError(
            f"{option('port')}={text} is not a port: choose one from 1 to 65535, for example "
            f"{spelled('start', port=3001)}."
        )
    return int(text)


def ports_from(first: int, count: int) -> list[int]:
    """Return the ports of a gateway: `first` and those after it, or zeros, which mean free ones, when it is 0.

    Raises `EmulatorError` with the remedy when there are not as many.
    """
    if first + count - 1 > HIGHEST_PORT:
        raise EmulatorError(
            f"The gateway needs {count} ports from {first} on, one for each API, and {HIGHEST_PORT} is the last: "
            f"choose another, for example {spelled('start', front='gateway', port=3000)}."
        )
    return [first + index if first else 0 for index in range(count)]


@contextlib.contextmanager
def reserved(port: int, among: Path) -> Iterator[None]:
    """Keep `port` for the block, from before something listens on it.

    `among` is a file that those share who might want the same port. Raises `EmulatorError` with the remedy when the
    port is taken.
    """
    among.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with among.open("ab") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)  # one byte of the file for each port
        except (BlockingIOError, PermissionError):  # fcntl(2): EAGAIN or EACCES
            raise _taken(port) from None
        _require_free(port)
        yield


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            raise EmulatorError(
                f"Port {port} needs privileges: choose one above 1023, for example {spelled('start', port=3000)}."
            ) from None
        except OSError:
            raise _taken(port) from None


def _taken(port: int) -> EmulatorError:
    another = port + 1 if port < HIGHEST_PORT else 3000
    return EmulatorError(
        f"Port {port} is taken: stop what listens there, or choose another, for example "
        f"{spelled('start', port=another)}."
    )


def accepts(port: int) -> bool:
    """Tell whether something listens on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
