import asyncio
import socket
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.log_stream import LINE_LIMIT_BYTES, Attachment, LineSplitter, LogStream, frame


def split(chunks: list[bytes], limit: int = LINE_LIMIT_BYTES) -> list[bytes]:
    splitter = LineSplitter(limit)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return [*lines, *splitter.flush()]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_a_frame_is_a_header_of_eight_bytes_and_the_payload() -> None:
    assert frame(b"hello\n") == b"\x02\x00\x00\x00\x00\x00\x00\x06hello\n"
    stream, length = struct.unpack(">BxxxL", frame(b"x" * 70_000, stream=1)[:8])
    assert (stream, length) == (1, 70_000)


def test_a_partial_line_waits_for_its_end_or_the_flush() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"one\ntw")) == [b"one\n"]
    assert list(splitter.feed(b"o\nthree")) == [b"two\n"]
    assert list(splitter.flush()) == [b"three\n"]
    assert list(splitter.flush()) == []


@given(st.text(), st.lists(st.integers(min_value=0)))
def test_text_comes_out_as_it_went_in_however_it_is_cut(text: str, places: list[int]) -> None:
    data = text.encode(errors="replace")
    lines = split(cut(data, places))
    assert b"".join(lines) == (data if data.endswith(b"\n") or not data else data + b"\n")
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)


@given(st.binary(), st.lists(st.integers(min_value=0)))
def test_any_bytes_come_out_as_lines_of_valid_utf8(data: bytes, places: list[int]) -> None:
    lines = split(cut(data, places))
    for line in lines:
        line.decode("utf-8")
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
    assert len(lines) == data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)


@given(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1))
def test_a_long_line_is_cut_at_characters(text: str) -> None:
    limit = 16
    lines = split([text.encode()], limit)
    assert all(len(line) <= limit for line in lines)
    assert "".join(line.decode()[:-1] for line in lines) == text


@given(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=40))
def test_a_line_without_end_does_not_fill_the_memory(text: str) -> None:
    splitter = LineSplitter(16)
    kept = len(text.encode()) - sum(len(line) - 1 for line in splitter.feed(text.encode()))
    assert kept < 16 + 4


class Pair:
    """An attachment and the client's end of its connection."""

    def __init__(self) -> None:
        self.client, self.server = socket.socketpair(socket.AF_UNIX)
        self.client.setblocking(False)

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.close()

    async def read(self, size: int) -> bytes:
        data = b""
        loop = asyncio.get_running_loop()
        while len(data) < size:
            part = await asyncio.wait_for(loop.sock_recv(self.client, size - len(data)), 60)
            if not part:
                break
            data += part
        return data


def test_frames_wait_until_the_head_of_the_answer_was_read() -> None:
    async def scenario() -> None:
        with Pair() as pair:
            pair.server.send(b"HEAD")
            attachment, log = Attachment(pair.server), LogStream()
            log.write("early")
            log.attach(attachment, replay=True)
            releasing = asyncio.create_task(attachment.release())
            await asyncio.sleep(0.01)
            assert await pair.read(4) == b"HEAD"
            with pytest.raises(BlockingIOError):
                pair.client.recv(1)
            await releasing
            assert await pair.read(8 + 6) == frame(b"early\n")
            log.close()
            assert attachment.closed.is_set()

    asyncio.run(scenario())


def test_without_replay_only_what_comes_later_is_sent() -> None:
    async def scenario() -> None:
        with Pair() as pair:
            attachment, log = Attachment(pair.server), LogStream()
            log.write("early")
            log.attach(attachment, replay=False)
            await attachment.release()
            log.write("late")
            assert await pair.read(8 + 5) == frame(b"late\n")
            log.close()

    asyncio.run(scenario())


def test_a_slow_reader_gets_every_frame_whole_and_in_order() -> None:
    async def scenario() -> None:
        with Pair() as pair:
            attachment, log = Attachment(pair.server), LogStream()
            log.attach(attachment, replay=False)
            await attachment.release()
            lines = [f"{number} " + "é" * 4000 for number in range(500)]
            for line in lines:
                log.write(line)
            for line in lines:
                expected = frame(line.encode() + b"\n")
                assert await pair.read(len(expected)) == expected
            log.close()

    asyncio.run(scenario())


def test_a_reader_that_is_gone_is_forgotten() -> None:
    async def scenario() -> None:
        with Pair() as pair:
            attachment, log = Attachment(pair.server), LogStream()
            log.attach(attachment, replay=False)
            await attachment.release()
            pair.client.close()
            log.write("into the void")
            assert attachment.closed.is_set()
            log.write("again")

    asyncio.run(scenario())
