"""`emulator.toml`: what a project's local run has beside what its template declares. README.md, "emulator.toml"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from emulator.errors import EmulatorError
from emulator.project.packaged_sources import Packaging

if TYPE_CHECKING:
    from sam_template import Template

NAME: Final = "emulator.toml"
FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "redis": ("host", "port", "tls", "cluster", "password"),
    "elasticsearch": ("url", "index", "api_key"),
    "anthropic": ("url", "api_key"),
}
"""The backing services, and what each tells: a parameter or a member of a secret can be any of it."""
AWS_ENDPOINT: Final = "{aws_endpoint_url}"
ARCHITECTURE: Final = "{architecture}"
"""Values of parameters that are known only when the emulator runs."""
_ATTRIBUTE_TYPES: Final = ("S", "N", "BOOL")
_PLACEHOLDER: Final = re.compile(r"\{[a-z_]+\}")


@dataclass(frozen=True)
class BackingService:
    """A backing service that the project wants, and where what it tells goes.

    `parameters` names a fact for each parameter of the template, `secrets` for each member of each secret (by logical
    id). `index` and `fill` are for elasticsearch: the alias, and a command that fills it.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    index: str = ""
    fill: tuple[str, ...] = ()
    fill_environment: Mapping[str, str] = field(default_factory=dict)


class SampleItems(NamedTuple):
    """A JSON list for a table (a logical id). `attributes` says what an item has; without it, what the JSON has."""

    table: str
    file: Path
    attributes: Mapping[str, Mapping[str, str]] | None


class SampleFiles(NamedTuple):
    """A folder whose files go into a bucket (a logical id)."""

    bucket: str
    folder: Path


@dataclass(frozen=True)
class Declaration:
    """What `emulator.toml` says; without one nothing. Paths are absolute.

    `build_command` is what a person runs to build: with it, the emulator never runs `sam build` itself.
    """

    stack_name: str = ""
    build_command: str = ""
    state: Path | None = None
    installed: Path | None = None
    packaging: Packaging = field(default_factory=Packaging)
    parameters: Mapping[str, str] = field(default_factory=dict)
    container_parameters: Mapping[str, str] = field(default_factory=dict)
    backing_services: Mapping[str, BackingService] = field(default_factory=dict)
    items: tuple[SampleItems, ...] = ()
    files: tuple[SampleFiles, ...] = ()

    def check(self, template: Template) -> None:
        """Raise EmulatorError for a parameter, secret, table or bucket that the template does not have."""
        parameters = [
            self.parameters,
            self.container_parameters,
            *(s.parameters for s in self.backing_services.values()),
        ]
        for name in (name for one in parameters for name in one):
            if name not in template.parameters:
                raise EmulatorError(
                    f"{NAME} fills the parameter {name}, which {template.path.name} does not declare: take it out, or "
                    "declare it."
                )
        wanted = [(name, "AWS::SecretsManager::Secret") for s in self.backing_services.values() for name in s.secrets]
        wanted += [(one.table, "AWS::DynamoDB::Table") for one in self.items]
        wanted += [(one.bucket, "AWS::S3::Bucket") for one in self.files]
        for name, kind in wanted:
            if template.declared_resources.get(name, {}).get("Type") != kind:
                raise EmulatorError(
                    f"{NAME} fills {name}, and {template.path.name} declares no {kind} of that name: correct the name."
                )


def read_declaration(root: Path) -> Declaration:
    """Return what `root`/emulator.toml says. Raises EmulatorError with the place and the remedy."""
    file = root / NAME
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Declaration()
    except (OSError, UnicodeDecodeError) as error:
        raise EmulatorError(f"{file} cannot be read ({error}): make it readable.") from error
    except tomllib.TOMLDecodeError as error:
        raise EmulatorError(f"{file} is not TOML ({error}): correct it.") from error
    return _declaration(_Table(document, ""), root)


def _declaration(top: _Table, root: Path) -> Declaration:
    sources = top.table("sources")
    services = top.table("backing_services")
    found = {name: _backing_service(name, services.table(name)) for name in FACTS if name in services}
    services.close(FACTS)
    state, installed = top.text("state_folder"), top.text("install_folder")
    declaration = Declaration(
        stack_name=top.text("stack_name"),
        build_command=top.text("build_command"),
        state=root / state if state else None,
        installed=root / installed if installed else None,
        packaging=Packaging(sources.texts("shared"), sources.texts("left_out")),
        parameters=top.table("parameters").values((AWS_ENDPOINT,)),
        container_parameters=top.table("container_parameters").values((ARCHITECTURE,)),
        backing_services=found,
        items=tuple(_items(table, root) for table in top.tables("items")),
        files=tuple(_files(table, root) for table in top.tables("files")),
    )
    sources.close()
    top.close()
    return declaration


def _backing_service(kind: str, table: _Table) -> BackingService:
    facts = FACTS[kind]
    secrets = table.table("secrets")
    is_search = kind == "elasticsearch"
    service = BackingService(
        parameters=table.table("parameters").facts(facts),
        secrets={name: secrets.table(name).facts(facts) for name in secrets},
        index=table.text("index") if is_search else "",
        fill=table.texts("fill") if is_search else (),
        fill_environment=table.table("fill_environment").values() if is_search else {},
    )
    table.close()
    return service


def _items(table: _Table, root: Path) -> SampleItems:
    attributes = table.table("attributes")
    items = SampleItems(
        table.required("table"),
        root / table.required("file"),
        {name: _attribute(attributes.table(name)) for name in attributes} if "attributes" in table else None,
    )
    table.close()
    return items


def _attribute(table: _Table) -> Mapping[str, str]:
    value = table.values()
    if len(value) != 1 or not set(value) <= set(_ATTRIBUTE_TYPES):
        raise table.error(f'must be one of {", ".join(_ATTRIBUTE_TYPES)} with a text, for example {{ S = "{{name}}" }}')
    return value


def _files(table: _Table, root: Path) -> SampleFiles:
    files = SampleFiles(table.required("bucket"), root / table.required("folder"))
    table.close()
    return files


class _Table:
    """One table of the file. What is taken from it is checked; `close` refuses what nobody took."""

    def __init__(self, members: Mapping[str, Any], place: str) -> None:
        self._members = members
        self._place = place
        self._known: dict[str, None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __iter__(self) -> Any:
        return iter(self._members)

    def error(self, sentence: str) -> EmulatorError:
        """Return the error that says where."""
        return EmulatorError(f"{NAME}: {self._place or 'the top of the file'} {sentence}.")

    def text(self, name: str) -> str:
        """Return a text, "" when it is not there."""
        found: str = self._take(name, str, "", 'a text in quotes, for example "value"')
        return found

    def required(self, name: str) -> str:
        """Return a text that must be there."""
        if not (text := self.text(name)):
            raise self.error(f'needs {name} = "..."')
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty when it is not there."""
        found: list[Any] = self._take(name, list, [], 'a list of texts, for example ["value"]')
        if not all(isinstance(one, str) and one for one in found):
            raise self.error(f'must have texts in {name}, for example ["value"]')
        return tuple(found)

    def table(self, name: str) -> _Table:
        """Return a table, empty when it is not there."""
        found: Mapping[str, Any] = self._take(name, dict, {}, "a table")
        return _Table(found, f"[{f'{self._place}.{name}'.replace('[', '').replace(']', '').lstrip('.')}]")

    def tables(self, name: str) -> list[_Table]:
        """Return a list of tables, empty when it is not there."""
        found: list[Any] = self._take(name, list, [], f"a list of tables: write [[{name}]]")
        if not all(isinstance(one, dict) for one in found):
            raise self.error(f"must have tables in {name}: write [[{name}]]")
        return [_Table(one, f"[[{name}]]") for one in found]

    def values(self, placeholders: tuple[str, ...] = ()) -> Mapping[str, str]:
        """Return the whole table as texts. A placeholder in one must be the whole of it, and one of `placeholders`."""
        for name, value in self._members.items():
            if not isinstance(value, str):
                raise self.error(f'must have a text in quotes for {name}: write {name} = "{value}"')
            if placeholders and _PLACEHOLDER.search(value) and value not in placeholders:
                raise self.error(f"has {value} for {name}: write a text, or {' or '.join(placeholders)}")
        return dict(self._members)

    def facts(self, facts: tuple[str, ...]) -> Mapping[str, str]:
        """Return the whole table, each value one of `facts`."""
        for name, fact in self.values().items():
            if fact not in facts:
                raise self.error(f'has "{fact}" for {name}: choose {", ".join(facts)}')
        return dict(self._members)

    def close(self, known: Any = ()) -> None:
        """Raise EmulatorError for a key that nobody took."""
        known = known or self._known
        for name in self._members:
            if name not in known:
                raise self.error(f"has no key {name}: choose {', '.join(known)}")

    def _take(self, name: str, kind: type, default: Any, example: str) -> Any:
        self._known[name] = None
        value = self._members.get(name, default)
        if not isinstance(value, kind):
            raise self.error(f"needs {example}, in {name}")
        return value
