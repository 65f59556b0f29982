"""Carry out the instructions of a Dockerfile: files go into a folder, settings into what describes the image.

Source: Dockerfile reference, docs.docker.com; AWS Lambda Developer Guide, "Create a Lambda function using a container
image" (settings of an image, read-only file system).
"""

from __future__ import annotations

import posixpath
import shlex
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emulator.engine.image_build import pip_command, shell_command
from emulator.engine.image_build.build_environment import BASE, build_environment
from emulator.engine.image_build.command import run
from emulator.engine.image_build.dockerfile import DockerfileError, Instruction, expand, parse, words
from emulator.engine.image_build.image_root import TASK_ROOT, ImageRoot, OutsideError, is_directory_name, select
from emulator.engine.image_build.stage import Stage, command_of, one_word, pairs
from emulator.engine.images import Image
from emulator.interpreters import InterpreterNotFoundError, find_interpreter, host_architecture

Say = Callable[[str], None]
_FROM_PARTS = {1: "name", 3: "name AS stage"}
_IGNORED_FLAGS = {
    "ADD": {"chown", "chmod", "link"},
    "COPY": {"chown", "chmod", "link", "from"},
    "FROM": {"platform"},
}
_NO_EFFECT = ("LABEL", "EXPOSE")


@dataclass(frozen=True)
class BuildSettings:
    """What a client asks for: the values of `ARG`, and the stage to stop at ("" for the last)."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    target: str = ""


class Builder:
    """Builds one image. `find` gives the image that `FROM` names; stages are made in `folder`, which is empty."""

    def __init__(
        self, context: Path, folder: Path, settings: BuildSettings, find: Callable[[str], Image | None], say: Say
    ) -> None:
        self._context = context
        self._folder = folder
        self._settings = settings
        self._find = find
        self._say = say
        self._globals: dict[str, str] = {}
        self._stages: dict[str, Stage] = {}

    def recipe(self, dockerfile: str) -> str:
        """Return what besides the context decides what is built: settings, bases and interpreters."""
        known: dict[str, str] = {}
        bases: list[str] = []
        for instruction in parse(dockerfile):
            if instruction.name == "ARG" and not bases:
                self._argument(instruction, known, {})
            if instruction.name == "FROM":
                base = self._find(expand(instruction.value, known).split(" ")[0])
                bases.append(base.digest if base is not None else "")
        settings = sorted(self._settings.arguments.items())
        return repr((settings, self._settings.target, bases))

    def build(self, name: str, dockerfile: str) -> Image:
        """Return the image of the text `dockerfile`. Raises `DockerfileError`."""
        instructions = parse(dockerfile)
        stage: Stage | None = None
        for number, instruction in enumerate(instructions, 1):
            if instruction.name == "FROM" and stage is not None and self._settings.target in self._names(stage):
                break
            self._say(f"Step {number}/{len(instructions)} : {instruction}\n")
            try:
                stage = self._carry_out(instruction, stage)
            except (OutsideError, FileNotFoundError, NotADirectoryError, tarfile.TarError, shutil.Error) as error:
                raise instruction.error(f"cannot be carried out: {error}.") from error
            except DockerfileError:
                raise
            except ValueError as error:
                raise instruction.error(str(error)) from error
        if stage is None or (self._settings.target and self._settings.target not in self._names(stage)):
            raise DockerfileError(f"The Dockerfile has no stage {self._settings.target or 'at all'}.")
        return self._image(name, stage)

    def _names(self, stage: Stage) -> list[str]:
        return [name for name, each in self._stages.items() if each is stage]

    def _carry_out(self, instruction: Instruction, stage: Stage | None) -> Stage | None:
        unknown = sorted(set(instruction.flags) - _IGNORED_FLAGS.get(instruction.name, set()))
        if unknown:
            raise instruction.error(f"has the option --{unknown[0]}, which needs a real container engine.")
        if instruction.name == "FROM":
            return self._from(instruction)
        if stage is None:
            if instruction.name != "ARG":
                raise instruction.error("stands before FROM.")
            self._argument(instruction, self._globals, {})
            return None
        match instruction.name:
            case "ARG":
                self._argument(instruction, stage.arguments, stage.variables)
            case "ENV":
                stage.variables.update(pairs(instruction, stage.scope))
            case "WORKDIR":
                stage.folder = posixpath.normpath(posixpath.join(stage.folder, one_word(instruction, stage.scope)))
                stage.root.place(stage.folder).mkdir(parents=True, exist_ok=True)
            case "COPY" | "ADD":
                self._copy(instruction, stage)
            case "RUN":
                self._run(instruction, stage)
            case "CMD":
                stage.command, stage.has_own_command = command_of(instruction), True
            case "ENTRYPOINT":
                stage.entrypoint = command_of(instruction)
                if not stage.has_own_command:  # that of the base belongs to the base's entry point
                    stage.command = []
            case name if name not in _NO_EFFECT:
                raise instruction.error(
                    "is not carried out here: FROM, ARG, ENV, WORKDIR, COPY, ADD, RUN, CMD, ENTRYPOINT, LABEL and "
                    "EXPOSE are; others need a real container engine and ENGINE=docker."
                )
        return stage

    def _from(self, instruction: Instruction) -> Stage:
        parts = expand(instruction.value, self._globals).split()
        if len(parts) not in _FROM_PARTS or (len(parts) == 3 and parts[1].upper() != "AS"):
            raise instruction.error("is not of the form FROM IMAGE or FROM IMAGE AS STAGE.")
        root = ImageRoot(self._folder / str(len({id(each) for each in self._stages.values()})))
        earlier = self._stages.get(parts[0].lower())
        if earlier is not None:
            shutil.copytree(earlier.root.folder, root.folder, symlinks=True)
            stage = earlier.continued(root)
        else:
            stage = self._first_stage(instruction, parts[0], root)
        self._stages[str(len({id(each) for each in self._stages.values()}))] = stage
        if len(parts) == 3:
            self._stages[parts[2].lower()] = stage
        return stage

    def _first_stage(self, instruction: Instruction, name: str, root: ImageRoot) -> Stage:
        base = self._find(name)
        if base is None or base.refusal:
            raise instruction.error(
                f"names {name}, which is neither a Python base image of Lambda (public.ecr.aws/lambda/python:3.13) nor "
                "an image that was built here: it needs a real container engine and ENGINE=docker."
            )
        try:
            interpreter = find_interpreter(base.runtime)
        except InterpreterNotFoundError as error:
            raise instruction.error(f"needs {base.runtime}. {error}") from error
        if base.root is not None:
            shutil.copytree(base.root, root.folder, symlinks=True)
        root.prepare()
        variables, command, entrypoint = dict(base.environment), list(base.command), list(base.entrypoint)
        return Stage(base, root, interpreter, variables, command, entrypoint, base.working_directory)

    def _argument(self, instruction: Instruction, arguments: dict[str, str], variables: Mapping[str, str]) -> None:
        defaults = {"TARGETARCH": "arm64" if host_architecture() == "arm64" else "amd64", "TARGETOS": "linux"}
        for word in words(instruction.value, {**BASE, **arguments, **variables}):
            name, has_default, default = word.partition("=")
            known = default if has_default else self._globals.get(name, defaults.get(name, ""))
            arguments[name] = self._settings.arguments.get(name, known)

    def _copy(self, instruction: Instruction, stage: Stage) -> None:
        named = instruction.listed()
        named = (
            words(instruction.value, stage.scope) if named is None else [expand(each, stage.scope) for each in named]
        )
        if len(named) < 2:
            raise instruction.error("needs a source and a destination.")
        *patterns, destination = named
        if instruction.name == "ADD" and any("://" in each or each.startswith("git@") for each in patterns):
            raise instruction.error("fetches from the network, which needs a real container engine and ENGINE=docker.")
        context = self._context
        if "from" in instruction.flags:
            origin = self._stages.get(expand(instruction.flags["from"], stage.scope).lower())
            if origin is None:
                raise instruction.error(f"copies from {instruction.flags['from']}, which is no stage before it.")
            context = origin.root.folder
        sources = [source for pattern in patterns for source in select(context, pattern)]
        target = posixpath.join(stage.folder, destination)
        if instruction.name == "ADD":
            archives = [source for source in sources if source.is_file() and tarfile.is_tarfile(source)]
            for archive in archives:
                stage.root.extract(archive, target)
            sources = [source for source in sources if source not in archives]
        if len(sources) > 1 and not is_directory_name(destination) and not all(each.is_dir() for each in sources):
            stage.root.place(target).mkdir(parents=True, exist_ok=True)
        stage.root.copy(sources, target, into_folder=is_directory_name(destination))

    def _run(self, instruction: Instruction, stage: Stage) -> None:
        environment = build_environment({**stage.arguments, **stage.variables}, stage.interpreter)
        listed = instruction.listed()
        if listed is None:
            commands = pip_command.pip_commands(instruction.value, stage.scope)
        else:
            found = pip_command.exec_form_command(listed)
            commands = None if found is None else [found]
        if commands is None:
            self._run_shell(instruction, stage, environment)
            return
        folder = stage.root.place(stage.folder)
        for arguments in commands:
            line = pip_command.command_line(arguments, stage.interpreter, stage.base.runtime, stage.root, stage.folder)
            run(instruction, line, environment, folder, self._say)

    def _run_shell(self, instruction: Instruction, stage: Stage, environment: Mapping[str, str]) -> None:
        if not shell_command.is_possible():
            raise instruction.error(
                "runs more than `pip install`, which needs a mount namespace (Linux, and a system that grants them) or "
                "ENGINE=docker."
            )
        listed = instruction.listed()
        shell = instruction.value if listed is None else shlex.join(listed)
        own = shell_command.variables(stage.base.runtime)
        with shell_command.prepared(shell, stage.interpreter, stage.root, stage.folder) as command:
            variables = {**BASE, **environment, **own}
            run(instruction, command, variables, stage.root.folder, self._say)

    def _image(self, name: str, stage: Stage) -> Image:
        return Image(
            name,
            name.rpartition(":")[0] or name,
            stage.base.runtime,
            root=stage.root.folder,
            environment=tuple(stage.variables.items()),
            command=tuple(stage.command),
            entrypoint=tuple(stage.entrypoint),
            working_directory=stage.folder,
        )


def unseen_files(root: ImageRoot, runtime: str) -> Sequence[str]:
    """Return what of an image a function does not find: what is neither its code, under /opt nor a package."""
    seen = (f"{TASK_ROOT}/", "/opt/", "/tmp/", f"{pip_command.site_packages(runtime)}/")  # noqa: S108
    return sorted(path for path in root.files() if not path.startswith(seen))
