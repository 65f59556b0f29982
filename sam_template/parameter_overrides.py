"""`--parameter-overrides` as SAM CLI takes them: on its command line, and in its configuration file.

Source: AWS SAM CLI 1.170, `samcli/cli/types.py`, `CfnParameterOverridesType` (both forms, quoting, `file://`,
`$include`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sam_template.translation import TemplateError

_KEY: Final = r"""([A-Za-z0-9\"']+)"""
_VALUE: Final = r"""("(?:\\.|[^"\\]+)*"|'(?:\\.|[^'\\]+)*'|(?:\\.|[^ "\\]+)+)"""
_FORMS: Final = (
    re.compile(f"ParameterKey={_KEY},ParameterValue={_VALUE}"),
    re.compile(f" {_KEY}={_VALUE}"),
)
_FILE: Final = "file://"


def parse(values: Any, folder: Path) -> dict[str, str]:
    """Return the parameters that `values` set: a text, a mapping, or a list of them, as SAM's own files have them.

    Names of files are relative to `folder`. Raises TemplateError for what SAM does not take, and for what it takes in
    part: it drops the rest of `Name=two words` in silence.
    """
    found = _parse(values, folder, ())
    return {_unquoted(name): _unquoted(value) for name, value in found.items()}


def arguments(parameters: Mapping[str, str]) -> list[str]:
    """Return what follows `--parameter-overrides` on SAM's command line for `parameters`."""
    quoted = {name: value.replace('"', '\\"') for name, value in parameters.items()}
    return [f'ParameterKey={name},ParameterValue="{value}"' for name, value in quoted.items()]


def _parse(values: Any, folder: Path, seen: tuple[Path, ...]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for value in _flat(values):
        if isinstance(value, Mapping):
            for name, member in value.items():
                if name == "$include":
                    parameters |= _parse(member, folder, seen)
                else:
                    parameters[str(name)] = _text(member)
        elif isinstance(value, str) and value.startswith(_FILE):
            parameters |= _read(folder / value.removeprefix(_FILE), seen)
        elif isinstance(value, str) and value:
            parameters |= _pairs(value)
        elif value not in (None, ""):
            raise TemplateError(f"The parameter override {value!r} is no text: write Name=value.")
    return parameters


def _pairs(text: str) -> dict[str, str]:
    written = f" {text.strip()}"
    for form in _FORMS:
        if pairs := form.findall(written):
            if rest := form.sub("", written).strip():
                raise TemplateError(
                    f"The parameter override {text!r} loses {rest!r}, as SAM reads it: quote a value with spaces, "
                    'Name="two words", and write all of them in one form.'
                )
            return dict(pairs)
    raise TemplateError(
        f"The parameter override {text!r} cannot be read: write Name=value or ParameterKey=Name,ParameterValue=value."
    )


def _read(file: Path, seen: tuple[Path, ...]) -> dict[str, str]:
    file = file.resolve()
    if file in seen:
        raise TemplateError(f"The parameters in {file} include themselves: take one file:// out.")
    return _parse(read_document(file), file.parent, (*seen, file))


def read_document(file: Path) -> Any:
    """Return what is in a TOML or YAML file. Raises TemplateError."""
    if file.suffix not in (".toml", ".yaml", ".yml"):
        raise TemplateError(f"{file} is of no kind that SAM reads: name a .toml, .yaml or .yml file.")
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".toml":
            import tomllib

            return tomllib.loads(text)
        import yaml

        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{file} cannot be read ({error}): name an existing file.") from error
    except Exception as error:  # each language has errors of its own
        reason = " ".join(str(error).split())
        raise TemplateError(f"{file} is not {file.suffix.removeprefix('.').upper()} ({reason}): correct it.") from error


def _flat(values: Any) -> Sequence[Any]:
    if not isinstance(values, (list, tuple)):
        return [values]
    return [member for value in values for member in _flat(value)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(str(member).strip() for member in value if member not in (None, ""))
    return str(value)


def _unquoted(text: str) -> str:
    if text and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return text.replace("\\ ", " ").replace('\\"', '"').replace("\\'", "'")
