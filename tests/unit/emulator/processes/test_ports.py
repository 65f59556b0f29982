"""A port that cannot be used is said with the remedy."""

from __future__ import annotations

import multiprocessing
import socket
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from emulator.errors import EmulatorError
from emulator.processes.ports import LOOPBACK, accepts, free_port, parse_port, ports_from, reserved


@pytest.fixture
def among(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ports.lock"


def test_a_free_port_can_be_had_once_and_had_again_afterwards(among: Path) -> None:
    port = free_port()
    for _ in range(2):
        with reserved(port, among):
            assert not accepts(port)


def test_a_port_that_another_command_is_about_to_use_is_taken_and_others_are_free(among: Path) -> None:
    port, next_port = free_port(), free_port()
    with reserved(port, among), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as another:
        assert another.submit(refusal, port, among).result().startswith(f"Port {port} is taken: ")
        assert another.submit(refusal, next_port, among).result() == ""


def refusal(port: int, among: Path) -> str:
    try:
        with reserved(port, among):
            return ""
    except EmulatorError as error:
        return str(error)


def test_a_taken_port_is_refused_and_another_proposed(among: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert accepts(port)
        assert f"Port {port} is taken" in (told := refusal(port, among))
        assert f"PORT={port + 1}" in told


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "http", "3000.0", "1" * 5000, "٣٠٠٠"])
def test_what_names_no_port_is_refused(text: str) -> None:
    with pytest.raises(EmulatorError, match="is not a port"):
        parse_port(text)


def test_a_gateway_has_a_port_for_each_api() -> None:
    assert ports_from(65_533, 3) == [65_533, 65_534, 65_535]
    assert ports_from(0, 3) == [0, 0, 0]


def test_a_gateway_past_the_last_port_is_refused_with_the_remedy() -> None:
    with pytest.raises(
        EmulatorError, match=r"needs 3 ports from 65534 on, .* 65535 is the last: choose another, .*3000"
    ):
        ports_from(65_534, 3)


def test_a_port_is_read() -> None:
    assert parse_port("3001") == 3001
