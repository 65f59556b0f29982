"""A port that cannot be used is said with the remedy."""

from __future__ import annotations

import socket

import pytest

from emulator.errors import EmulatorError
from emulator.ports import LOOPBACK, accepts, free_port, parse_port, require_free


def test_a_free_port_can_be_had() -> None:
    port = free_port()
    require_free(port)
    assert not accepts(port)


def test_a_taken_port_is_refused_and_another_proposed() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert accepts(port)
        with pytest.raises(EmulatorError, match=f"Port {port} is taken.*PORT={port + 1}"):
            require_free(port)


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "http", "3000.0", "٣٠٠٠"])
def test_what_names_no_port_is_refused(text: str) -> None:
    with pytest.raises(EmulatorError, match="is not a port"):
        parse_port(text)


def test_a_port_is_read() -> None:
    assert parse_port("3001") == 3001
