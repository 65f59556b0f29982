"""The build that functions run from: what `sam build` made, or for another state folder a copy of it.

The emulator copies saved sources into the build. Two emulators of one checkout never share one.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from emulator.errors import EmulatorError
from emulator.project.paths import StatePaths
from emulator.project.project import Project
from sam_template.translation import parse

_LOCATIONS: Final = ("CodeUri", "Code", "ContentUri", "Content")
"""Where SAM's and Lambda's own functions and layers say where their files are."""


def folder(project: Project, paths: StatePaths) -> Path:
    """Return the build that functions run from: that of a plain `sam local` in the project, else a copy of it."""
    return project.built if paths.folder == project.state.resolve() else paths.folder / "build"


def prepare(project: Project, paths: StatePaths) -> None:
    """Make the folder of the build ready. Raises `EmulatorError` when nothing is built, `OSError`."""
    if not (project.built / "template.yaml").is_file():
        raise EmulatorError(f"The functions are not built: run `{project.declaration.build_command or 'sam build'}`.")
    own = folder(project, paths)
    if own != project.built:
        shutil.rmtree(own, ignore_errors=True)
        if not _linked_by_cp(project.built, own):
            shutil.rmtree(own, ignore_errors=True)
            _copy(project.built, own)


def _linked_by_cp(built: Path, own: Path) -> bool:
    """Make `own` of second names for the files of `built` with cp(1); return False where it cannot.

    A process of its own: thousands of short calls of the system would each wait for the interpreter's lock.
    """
    try:
        command: list[str | Path] = ["cp", "-al", built, own]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _copy(built: Path, own: Path) -> None:
    try:
        shutil.copytree(built, own, copy_function=_link_or_copy, symlinks=True)
    except _CopyError as error:
        raise error.reason from error


def code_folder(build: Path, resource: str) -> Path:
    """Return where the files of a function or a layer (a logical id) are in a build: those of the same code share them.

    Without code there (a function that is written into the template, or of an image) it is a folder that is missing.
    """
    own = build / resource
    if not own.is_dir():
        declared = read_template(build / "template.yaml")["Resources"].get(resource, {})
        properties = declared.get("Properties") or {}
        location = next((properties[key] for key in _LOCATIONS if key in properties), None)
        if isinstance(location, str) and "://" not in location:
            return (build / location).resolve()
    return own


@cache
def _parsed(file: Path, _: int) -> Mapping[str, Any]:
    return parse(file, file.read_text(encoding="utf-8"))


def read_template(file: Path) -> Mapping[str, Any]:
    """Return the template that `sam build` wrote. Raises TemplateError."""
    return _parsed(file, file.stat().st_mtime_ns)


def write_as_json(file: Path) -> None:
    """Write the template that `sam build` wrote again as JSON, which `sam` reads many times as quickly as YAML.

    A template that means something else as JSON stays as it is. Source: `samcli/yamlhelper.py`, `yaml_parse`, tries
    JSON first. Raises TemplateError, OSError.
    """
    document = parse(file, file.read_text(encoding="utf-8"))
    if not _has_json_form(document):
        return
    written = file.with_name(f"{file.name}.json")
    written.write_text(json.dumps(document, indent=1), encoding="utf-8")
    written.replace(file)


def _has_json_form(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_json_form(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_has_json_form, value))
    return value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value))


class _CopyError(Exception):
    """`shutil.copytree` goes on after an OSError and loses it; this ends it."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _link_or_copy(source: str, destination: str) -> None:
    """Make a second name for a file: nothing writes into a file of a build, all put another in its place."""
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError:  # another file system
        try:
            shutil.copy2(Path(source), Path(destination), follow_symlinks=False)
        except OSError as error:
            raise _CopyError(OSError(error.errno, error.strerror, destination)) from error
