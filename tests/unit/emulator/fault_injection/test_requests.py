"""Requests are told apart wherever the network cuts them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.fault_injection.requests import HttpReader, Reader, RedisReader

HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked"


def complete(reader: Reader, data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    found = []
    for start, end in itertools.pairwise(places):
        found += reader.feed(data[start:end])
    return found


@given(st.lists(st.integers(0, 500), max_size=5))
def test_http_with_a_length(cuts: list[int]) -> None:
    reader = HttpReader()
    assert complete(reader, HEAD + b"\r\n\r\nhello", cuts) == [HEAD]
    assert not reader.is_pending


@given(st.lists(st.integers(0, 500), max_size=5))
def test_http_in_chunks(cuts: list[int]) -> None:
    assert complete(HttpReader(), CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n", cuts) == [CHUNKED]


def test_http_is_not_complete_before_its_body() -> None:
    reader = HttpReader()
    assert reader.feed(HEAD + b"\r\n\r\nhell") == []
    assert reader.is_pending
    assert reader.feed(b"o") == [HEAD]


def test_http_without_a_body_and_with_one_that_waits() -> None:
    assert HttpReader().feed(b"GET / HTTP/1.1\r\n\r\n") == [b"GET / HTTP/1.1"]
    waiting = b"PUT /x HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue"
    assert HttpReader().feed(waiting + b"\r\n\r\n") == [waiting]


def test_what_is_no_request_is_an_error() -> None:
    with pytest.raises(ValueError, match="no end"):
        HttpReader().feed(b"x" * 100_000)
    with pytest.raises(ValueError):
        RedisReader().feed(b"*x\r\n")


@given(st.lists(st.integers(0, 500), max_size=5), st.binary(max_size=40))
def test_redis_commands(cuts: list[int], value: bytes) -> None:
    data = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n%s\r\n*1\r\n$4\r\nPING\r\nINFO\r\n" % (len(value), value)
    reader = RedisReader()
    assert complete(reader, data, cuts) == [b"set", b"ping", b"info"]
    assert not reader.is_pending
