"""Free ports, sentences for busy ones, and where functions find what listens on them."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from emulator.errors import EmulatorError

LOOPBACK = "127.0.0.1"


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
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise EmulatorError(
            f"PORT={text} is not a port: choose one from 1 to 65535, for example `make start PORT=3001`."
        )
    return int(text)


def require_free(port: int) -> None:
    """Raise `EmulatorError` with the remedy when `port` is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            raise EmulatorError(
                f"Port {port} needs privileges: choose one above 1023, for example `make start PORT=3000`."
            ) from None
        except OSError:
            raise EmulatorError(
                f"Port {port} is taken: stop what listens there, or choose another, for example "
                f"`make start PORT={port + 1}`."
            ) from None


def accepts(port: int) -> bool:
    """Tell whether something listens on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
