"""What Python says of its imports with `-X importtime`.

Source: Python documentation, "Command line and environment", `-X importtime`; each line is written when an import has
ended, so a module comes after those that it imported, and is indented less (`Python/import.c`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

VARIABLE: Final = "PYTHONPROFILEIMPORTTIME"
"""The environment variable that has the effect of the option."""
_LINE: Final = re.compile(r"^import time: +(\d+) \| +(\d+) \| ( *)(\S+)\s*$")
_INDENT: Final = 2


class Import(NamedTuple):
    """A module's import: its own time and that with `children`, the modules that it was the first to import; in ms."""

    module: str
    own_ms: float
    total_ms: float
    children: tuple[Import, ...] = ()

    @property
    def package(self) -> str:
        """Return the top of the module's dotted name."""
        return self.module.partition(".")[0]


@dataclass
class PackageTime:
    """The time of a package's own modules, and that with all that they were the first to import; in ms."""

    package: str
    own_ms: float = 0.0
    total_ms: float = 0.0


@dataclass
class _Level:
    ended: list[Import] = field(default_factory=list)


def read(lines: Iterable[str]) -> list[Import]:
    """Return the imports that no module asked for, in their order; what else a program wrote is passed over."""
    levels: list[_Level] = [_Level()]
    for line in lines:
        told = _LINE.match(line)
        if told is None:
            continue
        depth = len(told[3]) // _INDENT
        while len(levels) < depth + 2:
            levels.append(_Level())
        children = tuple(levels[depth + 1].ended)
        levels[depth + 1].ended.clear()
        levels[depth].ended.append(Import(told[4], int(told[1]) / 1000, int(told[2]) / 1000, children))
    return levels[0].ended


def packages(imports: Iterable[Import]) -> list[PackageTime]:
    """Return each package once, the one whose own modules took longest first."""
    found: dict[str, PackageTime] = {}
    _add(imports, found, frozenset())
    for package in found.values():
        # Each line is rounded up to a microsecond (`Python/import.c`): many modules' own times may exceed their total.
        package.total_ms = max(package.total_ms, package.own_ms)
    return sorted(found.values(), key=lambda package: (-package.own_ms, package.package))


def _add(imports: Iterable[Import], found: dict[str, PackageTime], enclosing: frozenset[str]) -> None:
    for each in imports:
        package = found.setdefault(each.package, PackageTime(each.package))
        package.own_ms += each.own_ms
        if each.package not in enclosing:
            package.total_ms += each.total_ms
        _add(each.children, found, enclosing | {each.package})
