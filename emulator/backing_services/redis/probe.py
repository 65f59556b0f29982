"""Whether a Redis answers, and what it is: three commands over a connection of its own.

Source: Redis serialization protocol specification, "RESP protocol description".
"""

from __future__ import annotations

import asyncio
from typing import Final

_ATTEMPT_SECONDS: Final = 2.0


class Refusal(Exception):  # noqa: N818 (it is an answer, not a failure of the probe)
    """The server's own error line."""


async def ask(host: str, port: int, password: str | None) -> str:
    """Return `redis-server <version>`, or `embedded` for a server without INFO.

    Raises OSError or TimeoutError when it does not answer or something else does, Refusal when it refuses the password.
    """
    async with asyncio.timeout(_ATTEMPT_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            if password:
                await _call(reader, writer, "AUTH", password)
            await _call(reader, writer, "PING")
            try:
                information = await _call(reader, writer, "INFO", "server")
            except Refusal:
                return "embedded"
        finally:
            writer.close()
    version = next(line.partition(":")[2] for line in information.splitlines() if line.startswith("redis_version:"))
    return f"redis-server {version}"


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> str:
    request = f"*{len(words)}\r\n".encode()
    for word in words:
        request += b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode())
    writer.write(request)
    line = (await reader.readuntil(b"\r\n"))[:-2].decode()
    if line.startswith("-"):
        raise Refusal(line[1:])
    if line.startswith("$"):
        return (await reader.readexactly(int(line[1:]) + 2))[:-2].decode()
    if not line.startswith("+"):
        raise ConnectionError(f"Port {writer.get_extra_info('peername')[1]} is not answered by Redis.")
    return line[1:]
