"""Read a Dockerfile: its instructions with their lines, and the words in them with variables expanded.

Source: Dockerfile reference ("Format", "Environment replacement", "Shell and exec form"), docs.docker.com.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LIMIT_BYTES = 1024 * 1024
"""The largest Dockerfile that is read."""
_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"<<-?[\"']?\w+")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:[-+])([^}]*))?\})")


class DockerfileError(ValueError):
    """A Dockerfile that cannot be built here; the message is a sentence that names the instruction and its line."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: `name` in capitals, `flags` (`--from=build`) taken off, the rest as `value`."""

    name: str
    value: str
    line: int
    flags: Mapping[str, str]

    def __str__(self) -> str:
        """Return the instruction as it is written, on one line."""
        written = [f"--{name}={value}" if value else f"--{name}" for name, value in self.flags.items()]
        return " ".join((self.name, *written, self.value))

    def error(self, reason: str) -> DockerfileError:
        """Return the error of this instruction; `reason` goes on after its name and its line."""
        return DockerfileError(f"{self.name} in line {self.line} of the Dockerfile {reason}")

    def listed(self) -> list[str] | None:
        """Return the strings of the exec form (`["a", "b"]`), None for the shell form. Raises `DockerfileError`."""
        if not self.value.startswith("["):
            return None
        try:
            found = json.loads(self.value)
        except ValueError:
            return None  # Docker takes it for the shell form, too
        if not all(isinstance(each, str) for each in found):
            raise self.error("holds something other than strings.")
        return list(found)


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile. Raises `DockerfileError`."""
    found = [_instruction(number, line) for number, line in _logical_lines(text)]
    if not found:
        raise DockerfileError("The Dockerfile is empty.")
    return found


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each instruction with the number of its first line: comments gone, continuation lines joined."""
    begun, parts = 0, []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        directive = _DIRECTIVE.match(line)
        if directive and directive[1] != "\\":
            raise DockerfileError(f"Line {number} of the Dockerfile sets another escape character, which is not known.")
        if not line or line.startswith("#"):
            continue  # also inside an instruction
        begun = begun or number
        continues = line.endswith("\\")
        parts.append(line[:-1].rstrip() if continues else line)
        if not continues:
            yield begun, " ".join(filter(None, parts))
            begun, parts = 0, []
    if parts:
        yield begun, " ".join(filter(None, parts))


def _instruction(number: int, line: str) -> Instruction:
    name, _, value = line.partition(" ")
    value, flags = value.strip(), {}
    while name.upper() in ("ADD", "COPY", "FROM", "RUN") and (flag := _FLAG.match(value)):
        flags[flag[1]] = flag[2] or ""
        value = value[flag.end() :]
    instruction = Instruction(name.upper(), value, number, flags)
    if _HEREDOC.search(value):
        raise instruction.error("has a here-document, which is not known: put its text into a file.")
    return instruction


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` replaced, unset by nothing."""

    def value(found: re.Match[str]) -> str:
        held = variables.get(found[1] or found[2], "")
        if found[3] == ":-":
            return held or found[4]
        return (found[4] if held else "") if found[3] == ":+" else held

    return _VARIABLE.sub(value, text)


def words(text: str, variables: Mapping[str, str]) -> list[str]:
    """Return the words of `text`: split at blanks, quotes and escapes taken off, variables expanded.

    Single quotes keep a `$`, as a backslash does. Raises `ValueError` for a quote that is not closed.
    """
    found: list[str] = []
    current: list[str] | None = None
    position, quote = 0, ""
    while position < len(text):
        character = text[position]
        variable = _VARIABLE.match(text, position) if quote != "'" else None
        if character.isspace() and not quote:
            if current is not None:
                found.append("".join(current))
            current, position = None, position + 1
            continue
        current = [] if current is None else current
        if variable:
            current.append(expand(variable[0], variables))
            position = variable.end()
            continue
        if character in "\"'" and quote in ("", character):
            quote = "" if quote else character
        elif character == "\\" and quote != "'" and position + 1 < len(text):
            position += 1
            current.append(text[position])
        else:
            current.append(character)
        position += 1
    if quote:
        raise ValueError(f"the quote {quote} is not closed")
    return [*found, "".join(current)] if current is not None else found
