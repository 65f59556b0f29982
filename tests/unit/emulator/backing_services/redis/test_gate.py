"""The embedded Redis asks for its password and refuses in Redis's own words."""

from __future__ import annotations

import pytest

from emulator.backing_services.redis.gate import (
    HELLO_NEEDS_PASSWORD,
    NO_AUTHENTICATION,
    NO_PASSWORD_SET,
    UNSUPPORTED_PROTOCOL,
    WRONG_PASSWORD,
    Gate,
)


def test_without_a_password_every_command_runs() -> None:
    assert Gate(None).admit([b"GET", b"a"]) == ([b"GET", b"a"], None)
    assert Gate(None).admit([b"AUTH", b"x"])[1] == NO_PASSWORD_SET
    assert Gate(None).admit([b"AUTH", b"default", b"x"])[1] == "OK"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ([b"GET", b"a"], NO_AUTHENTICATION),
        ([b"PING"], NO_AUTHENTICATION),
        ([b"AUTH"], NO_AUTHENTICATION),
        ([b"AUTH", b"wrong"], WRONG_PASSWORD),
        ([b"AUTH", b"someone", b"right"], WRONG_PASSWORD),
        ([b"HELLO"], HELLO_NEEDS_PASSWORD),
        ([b"HELLO", b"3"], HELLO_NEEDS_PASSWORD),
        ([b"HELLO", b"9"], UNSUPPORTED_PROTOCOL),
        ([b"HELLO", b"3", b"AUTH", b"default", b"wrong"], WRONG_PASSWORD),
    ],
)
def test_a_closed_gate_stays_closed(command: list[bytes], answer: str) -> None:
    gate = Gate(b"right")
    assert gate.admit(command)[1] == answer
    assert gate.admit([b"GET", b"a"])[1] == NO_AUTHENTICATION


@pytest.mark.parametrize("command", [[b"auth", b"right"], [b"AUTH", b"default", b"right"]])
def test_the_password_opens_it(command: list[bytes]) -> None:
    gate = Gate(b"right")
    assert gate.admit(command)[1] == "OK"
    assert gate.admit([b"GET", b"a"])[1] is None


def test_hello_opens_it_and_runs_without_the_password() -> None:
    gate = Gate(b"right")
    command = [b"HELLO", b"3", b"AUTH", b"default", b"right", b"SETNAME", b"me"]
    assert gate.admit(command) == ([b"HELLO", b"3", b"SETNAME", b"me"], None)
    assert gate.open
