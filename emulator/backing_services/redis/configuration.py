"""The configuration file of `redis-server`: loopback only, nothing on disk.

Source: redis.conf of Redis 7.0, and `sdssplitargs` of its sds.c for the quoting.
"""

from __future__ import annotations

from pathlib import Path

from emulator.ports import LOOPBACK


def server_configuration(port: int, folder: Path, password: str | None) -> str:
    """Return the text of a redis.conf; `folder` is where the server works and may write."""
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f"dir {_quoted(str(folder))}",
        'save ""',
        "appendonly no",
        "daemonize no",
        'logfile ""',
        "tcp-keepalive 60",
    ]
    if password:
        lines.append(f"requirepass {_quoted(password)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return `text` as one argument: in double quotes, bytes that are not plain as hexadecimal escapes."""
    plain = (f"{byte:c}" if byte < 128 and f"{byte:c}".isalnum() else f"\\x{byte:02x}" for byte in text.encode())
    return f'"{"".join(plain)}"'
