"""`sam build` before a start, where the project has no build command of its own and its build is missing or old."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from emulator.engine.errors import EngineError
from emulator.errors import EmulatorError
from emulator.interpreters import InterpreterNotFoundError, find_interpreter
from emulator.project.paths import StatePaths
from emulator.project.project import Project
from emulator.sam.sam_build import sam_build
from sam_template import Template, parameter_overrides

_MANIFEST: Final = "requirements.txt"
_BYTECODE: Final = "__pycache__"


def ensure_built(project: Project, paths: StatePaths, template: Template) -> None:
    """Run `sam build` unless the build is newer than what no start copies into it.

    That is the template, samconfig, the requirements, and the sources of images and layers. One process builds at a
    time. Does nothing where emulator.toml names a build command. Raises EmulatorError, after the lines of sam, when it
    fails.
    """
    built = project.built / "template.yaml"
    if project.declaration.build_command or _is_newer(built, _sources(project, template)):
        return
    paths.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (paths.folder / "build.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_newer(built, _sources(project, template)):  # another process may have built meanwhile
            _build(project, paths, {one.runtime for one in template.functions.values()})


def _sources(project: Project, template: Template) -> Iterator[Path]:
    yield project.template
    if project.samconfig.path:
        yield project.samconfig.path
    folders: set[Path] = set()
    for name, function in template.functions.items():
        if (manifest := function.code_uri / _MANIFEST).is_file():
            yield manifest
        folders |= {folder for _, folder in ([] if function.image else template.layers(name)) if folder}
        folders |= {folder for folder in [template.docker_context(name)] if folder}
    for folder in folders:
        yield from _tree(folder)


def _tree(root: Path) -> Iterator[Path]:
    """Yield what is in a folder and the folders themselves, whose times change when a file comes or goes."""
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name != _BYTECODE]
        yield from (Path(parent), *(Path(parent, name) for name in files))


def _is_newer(built: Path, sources: Iterable[Path]) -> bool:
    # `lstat`, for a context may hold links that lead nowhere.
    return built.is_file() and built.stat().st_mtime_ns >= max(source.lstat().st_mtime_ns for source in sources)


def _build(project: Project, paths: StatePaths, runtimes: Iterable[str]) -> None:
    sys.stderr.write("Building the functions with sam build ...\n")
    sys.stderr.flush()
    _find_interpreters(runtimes)
    arguments = ["--template-file", str(project.template), "--build-dir", str(project.built)]
    if project.samconfig.path:
        arguments += ["--config-file", str(project.samconfig.path)]
    if project.parameters:
        arguments += ["--parameter-overrides", *parameter_overrides.arguments(project.parameters)]
    os.environ["__SAM_CLI_APP_DIR"] = str(
        project.installed / "sam"
    )  # otherwise ~/.aws-sam, and a home may be read-only
    output = paths.folder / "build.log"
    with output.open("wb") as log:
        building = sam_build(
            arguments,
            project.template,
            folder=project.root,
            socket=paths.sockets / "build.sock",
            installed=project.installed,
            built=project.built,
            log=log,
        )
        try:
            status = asyncio.run(building)
        except EngineError as error:
            raise EmulatorError(str(error)) from error
    if status:
        sys.stderr.write(output.read_text(errors="replace"))
        raise EmulatorError("sam build failed: correct what its lines above say.")


def _find_interpreters(runtimes: Iterable[str]) -> None:
    """Put the interpreter of each runtime on PATH, where SAM's builder looks for it. Raises EmulatorError."""
    try:
        found = [find_interpreter(runtime) for runtime in sorted(runtimes) if runtime.startswith("python")]
    except InterpreterNotFoundError as error:
        raise EmulatorError(str(error)) from error
    folders = [str(one.path.parent) for one in found]
    os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), *folders))
