"""What `samconfig.toml` says of the environment `rehearsal`: read, so that nothing is declared twice."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.rehearsal.errors import RehearsalError

ENVIRONMENT: Final = "rehearsal"


@dataclass(frozen=True)
class Settings:
    """The stack's name and region, where it is built, the bucket of its artifacts, and its parameters."""

    stack_name: str
    region: str
    build_folder: Path
    artifact_bucket: str
    parameters: Mapping[str, str]

    def overrides(self, at_run_time: Mapping[str, str]) -> list[str]:
        """Return what `--parameter-overrides` takes.

        sam replaces the file's parameters by the command line's, so both are given: what is known only now, such as a
        port, over what the file says.
        """
        return [f"{name}={value}" for name, value in {**self.parameters, **at_run_time}.items()]


def read_settings(samconfig: Path) -> Settings:
    """Return the settings in `samconfig`. Raises RehearsalError when the file lacks one.

    Source: AWS SAM Developer Guide, "AWS SAM CLI configuration file".
    """
    try:
        environment = tomllib.loads(samconfig.read_text(encoding="utf-8"))[ENVIRONMENT]
        common: Mapping[str, Any] = environment["global"]["parameters"]
        deploy: Mapping[str, Any] = common | environment["deploy"]["parameters"]
        return Settings(
            stack_name=str(deploy["stack_name"]),
            region=str(deploy["region"]),
            build_folder=samconfig.parent / str(environment["build"]["parameters"]["build_dir"]),
            artifact_bucket=str(deploy["s3_bucket"]),
            parameters=_parameters(deploy.get("parameter_overrides", [])),
        )
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RehearsalError(f"{samconfig} cannot be read ({error}); correct it.") from error
    except KeyError as error:
        raise RehearsalError(f"{samconfig.name} has no {error} for {ENVIRONMENT!r}; add it.") from error


def _parameters(declared: Any) -> dict[str, str]:
    """Return parameter overrides in any of sam's forms (a table, one text, a list of texts) as a mapping."""
    if isinstance(declared, Mapping):
        return {name: str(value) for name, value in declared.items()}
    members = shlex.split(declared) if isinstance(declared, str) else [str(member) for member in declared]
    pairs = (member.partition("=") for member in members)
    return {name: value for name, _, value in pairs}
