"""What `redis-server` is started with."""

from __future__ import annotations

from pathlib import Path

from emulator.backing_services.redis.configuration import server_configuration


def test_it_binds_to_the_loopback_interface_and_keeps_nothing() -> None:
    lines = server_configuration(6380, Path("/tmp/x"), None).splitlines()
    assert {"bind 127.0.0.1", "port 6380", 'save ""', "appendonly no"} <= set(lines)
    assert not [line for line in lines if line.startswith("requirepass")]


def test_a_password_cannot_break_out_of_its_line() -> None:
    lines = server_configuration(6380, Path("/tmp/x"), 'a"b\n é').splitlines()
    assert lines[-1] == r'requirepass "a\x22b\x0a\x20\xc3\xa9"'
