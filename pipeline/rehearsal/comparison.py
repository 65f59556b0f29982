"""Compare what is declared with what was made, property by property. Nothing is passed over in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pipeline.rehearsal.errors import RehearsalError

NOT_KNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands, also within a text, for a declared value that nobody here can tell; whatever was made is equal to it."""
_INDEX: Final = re.compile(r"\[\d+\]")


class Made(Enum):
    """What became of a declared property."""

    YES = "yes"
    NOT_EMULATED = "not emulated"
    DIFFERS = "differs"
    NOT_READ = "made, not read back"


@dataclass(frozen=True)
class Gap:
    """A known omission of the emulated CloudFormation: a type, the path of a property, and what becomes of it.

    Indices are left out of paths: `Rules.Id` is the Id of every rule.
    """

    type_name: str
    path: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One property of one resource; `remark` says how it differs, or which gap it falls into.

    `explained` are the gaps that differences fall into, `idle` those of what it declares that nothing falls into.
    """

    resource: str
    type_name: str
    name: str
    made: Made
    remark: str = ""
    explained: tuple[Gap, ...] = ()
    idle: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Difference:
    """A path at which what was made is not what was declared; `made` is None where nothing was."""

    path: str
    declared: Any
    made: Any

    @property
    def place(self) -> str:
        """The path without indices."""
        return _INDEX.sub("", self.path)


def compare(
    resource: str, type_name: str, declared: Mapping[str, Any], made: Mapping[str, Any] | None, gaps: Iterable[Gap]
) -> list[Row]:
    """Return a row for each declared property.

    `made` has a member for every property that is read back, None for one that the service does not report; it is None
    itself when the type has no file in emulator/aws/resources/. A difference that no gap explains is a row that
    DIFFERS.
    """
    own = [gap for gap in gaps if gap.type_name == type_name]
    return [_row(resource, type_name, name, value, made, own) for name, value in declared.items()]


def _declares(name: str, value: Any, path: str) -> bool:
    """Tell whether the property `name` is at, below or above `path`, and has something there."""
    return _under(name, path) or (_under(path, name) and _has(value, path[len(name) + 1 :]))


def require_all_explained(rows: list[Row]) -> None:
    """Raise RehearsalError, naming them, when properties are not made and no gap explains it."""
    wrong = [row for row in rows if row.made is Made.DIFFERS]
    if wrong:
        lines = [f"  {row.resource} {row.name}: {row.remark}" for row in wrong]
        raise RehearsalError("\n".join(["What was made is not what the template declares:", *lines]))


def require_no_gap_closed(rows: Iterable[Row]) -> None:
    """Raise RehearsalError for the gaps that explain nothing anywhere, although something declares their property.

    `rows` are those of every set of parameters: a service that drops a value may have the other one for a default.
    """
    listed = list(rows)
    explained = {gap for row in listed for gap in row.explained}
    closed = {gap: None for row in listed for gap in row.idle if gap not in explained}
    if closed:
        lines = [f"  {gap.type_name} {gap.path}" for gap in closed]
        raise RehearsalError("\n".join(["These are made now: take them off the list in gaps.py:", *lines]))


def differences(declared: Any, made: Any, path: str = "") -> Iterator[Difference]:
    """Yield where `made` lacks something of `declared`; more than is declared is a service's default.

    Texts and numbers are equal when they are written alike, lists in any order, a list of one member and that member,
    and JSON however it is written.
    """
    declared, made = _data(declared), _data(made)
    if isinstance(declared, Mapping) and isinstance(made, Mapping):
        for name, value in declared.items():
            yield from differences(value, made.get(name), f"{path}.{name}" if path else name)
    elif isinstance(declared, list) or isinstance(made, list):
        yield from _list_differences(_members(declared), _members(made), path)
    elif isinstance(declared, str) and NOT_KNOWN in declared:
        pattern = ".+".join(map(re.escape, declared.split(NOT_KNOWN)))
        if not re.fullmatch(pattern, str(made or "")):
            yield Difference(path, declared, made)
    elif _text(declared) != _text(made):
        yield Difference(path, declared, made)


def _row(
    resource: str, type_name: str, name: str, declared: Any, made: Mapping[str, Any] | None, gaps: Sequence[Gap]
) -> Row:
    if made is None or name not in made:
        remark = f"nothing in emulator/aws/resources/ reads {type_name if made is None else 'it'}"
        return Row(resource, type_name, name, Made.NOT_READ, remark)
    found = list(differences(declared, made[name], name))
    concerned = [gap for gap in gaps if _declares(name, declared, gap.path)]
    unexplained = [one for one in found if not any(_under(one.place, gap.path) for gap in concerned)]
    explained = tuple(gap for gap in concerned if any(_under(one.place, gap.path) for one in found))
    idle = tuple(gap for gap in concerned if gap not in explained)
    if unexplained:
        first = unexplained[0]
        remark = f"{first.path}: declared {_short(first.declared)}, made {_short(first.made)}"
        return Row(resource, type_name, name, Made.DIFFERS, remark, explained, idle)
    if explained:
        remark = "; ".join(gap.path for gap in explained)
        return Row(resource, type_name, name, Made.NOT_EMULATED, remark, explained, idle)
    return Row(resource, type_name, name, Made.YES, idle=idle)


def _list_differences(declared: list[Any], made: list[Any], path: str) -> Iterator[Difference]:
    left, missing = list(made), []
    for index, member in enumerate(declared):
        same = next((other for other in left if not any(differences(member, other))), _MISSING)
        if same is _MISSING:
            missing.append((index, member))
        else:
            left.remove(same)
    left = [member for member in left if not _is_system_tag(member)]
    for index, member in missing:
        yield from differences(member, left.pop(0) if left else None, f"{path}[{index}]")
    for member in left:
        yield Difference(path, None, member)


_MISSING: Final = object()


def _is_system_tag(member: Any) -> bool:
    """Tell whether this is a tag of CloudFormation's or SAM's own, which no template declares."""
    key = member.get("Key", "") if isinstance(member, Mapping) else ""
    return str(key).startswith(("aws:", "lambda:createdBy"))


def _members(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _data(value: Any) -> Any:
    """Return JSON that is written as a text as what it says."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, Mapping):
        return None if not value else json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    try:
        return f"{float(text):g}" if len(text) < 16 else text  # not a digest that happens to be digits
    except ValueError:
        return text


def _has(tree: Any, path: str) -> bool:
    """Tell whether `path` leads to something in `tree`, through any member of a list."""
    tree = _data(tree)
    if not path:
        return True
    if isinstance(tree, list):
        return any(_has(member, path) for member in tree)
    if not isinstance(tree, Mapping):
        return False
    name, _, rest = path.partition(".")
    return name in tree and _has(tree[name], rest)


def _under(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}.")


def _short(value: Any) -> str:
    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 120 else f"{text[:117]}..."
