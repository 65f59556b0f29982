"""Redis commands are told apart wherever the network cuts them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.fault_injection import FaultError, RedisWire
from emulator.fault_injection.redis_wire import RedisReader

WIRE = RedisWire()


@given(st.lists(st.integers(0, 500), max_size=5), st.binary(max_size=40))
def test_commands(cuts: list[int], value: bytes) -> None:
    data = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n%s\r\n*1\r\n$4\r\nPING\r\nINFO\r\n" % (len(value), value)
    reader, found = RedisReader(), []
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        found += reader.feed(data[start:end])
    assert found == [b"set", b"ping", b"info"]
    assert not reader.is_pending


def test_what_is_no_command_is_an_error() -> None:
    with pytest.raises(ValueError):
        RedisReader().feed(b"*x\r\n")


def test_errors() -> None:
    assert WIRE.error("", b"get") == b"-ERR The emulator was told to answer with this error.\r\n"
    assert WIRE.error("loading", b"get") == b"-LOADING Redis is loading the dataset in memory\r\n"
    with pytest.raises(FaultError, match="redis cannot answer with error:503: use the first word of an error"):
        WIRE.check_error("redis", "503")


def test_a_handshake_is_nothing_but_one() -> None:
    assert WIRE.is_handshake([b"hello", b"client"])
    assert not WIRE.is_handshake([b"hello", b"get"])
    assert not WIRE.is_handshake([])
