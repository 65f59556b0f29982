"""The access log of a stage, in the format that the template declares.

Sources: API Gateway Developer Guide, "Customizing HTTP API access logs" and "Variables for access logging for API
Gateway". A variable that has no value is "-". The latter says of `$context.error.messageString`: "The quoted value of
$context.error.message, namely "$context.error.message"".
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)|\$\{context\.([A-Za-z0-9_.]+)\}")
_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {ord('"'): '\\"', ord("\\"): "\\\\"}
"""What a client sends must not end a line or a JSON text."""
_QUOTED = "error.messageString"
_PLAIN = re.compile(r'[^\x00-\x1f"\\]*')


def compiled(log_format: str) -> Callable[[Mapping[str, object]], str]:
    """Return what makes a line of the values of `$context` (by the name after "context.")."""
    parts: list[str] = []
    names: list[str] = []
    position = 0
    for found in _VARIABLE.finditer(log_format):
        parts.append(log_format[position : found.start()])
        names.append(found[1] or found[2])
        position = found.end()
    rest = log_format[position:]

    def line(values: Mapping[str, object]) -> str:
        pieces: list[str] = []
        for part, name in zip(parts, names, strict=True):
            text = _text(values.get(name))
            escaped = text if _PLAIN.fullmatch(text) else text.translate(_ESCAPES)
            pieces += (part, f'"{escaped}"' if name == _QUOTED else escaped)
        return "".join(pieces) + rest

    return line


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    return json.dumps(value) if isinstance(value, bool | dict | list) else str(value)


class AccessLog:
    """A file that takes the lines of one stage, whole and in order."""

    def __init__(self, log_format: str, file: Path) -> None:
        self._line = compiled(log_format)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, values: Mapping[str, object]) -> None:
        """Write the line of one request."""
        os.write(self._descriptor, f"{self._line(values)}\n".encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
