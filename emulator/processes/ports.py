"""Free ports, sentences for busy ones, and where functions find what listens on them."""

from __future__ import annotations

import contextlib
import fcntl
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emulator.errors import EmulatorError

LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Network:
    """Where backing services listen so that functions reach them, and the host under which a function does."""

    listen: str = LOOPBACK
    reached_as: str = LOOPBACK


def free_port() -> int:
    """Return a TCP port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def parse_port(text: str) -> int:
    """Return the port that `text` names. Raises `EmulatorError` with the remedy when it names none."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) <= _HIGHEST_PORT):
        raise EmulatorError(
            f"PORT={text} is not a port: choose one from 1 to 65535, for example `make start PORT=3001`."
        )
    return int(text)


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
                f"Port {port} needs privileges: choose one above 1023, for example `make start PORT=3000`."
            ) from None
        except OSError:
            raise _taken(port) from None


def _taken(port: int) -> EmulatorError:
    another = port + 1 if port < _HIGHEST_PORT else 3000
    return EmulatorError(
        f"Port {port} is taken: stop what listens there, or choose another, for example `make start PORT={another}`."
    )


def accepts(port: int) -> bool:
    """Tell whether something listens on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
