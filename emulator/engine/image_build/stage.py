"""A stage of a build: the image so far, and what the instructions that set something say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.engine.image_build.build_environment import BASE
from emulator.engine.image_build.dockerfile import Instruction, words
from emulator.engine.image_build.image_root import TASK_ROOT, ImageRoot
from emulator.engine.images import Image
from emulator.interpreters import Interpreter


@dataclass
class Stage:
    """A stage of the build: the image so far. `variables` are those of ENV, `arguments` those of ARG."""

    base: Image
    root: ImageRoot
    interpreter: Interpreter
    variables: dict[str, str]
    command: list[str]
    entrypoint: list[str]
    folder: str = TASK_ROOT
    has_own_command: bool = False
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> dict[str, str]:
        """Return what `$NAME` stands for: a variable hides an argument."""
        return {**BASE, **self.arguments, **self.variables}

    def continued(self, root: ImageRoot) -> Stage:
        """Return the stage that begins with this one, its files in `root`."""
        copied = dict(self.variables), list(self.command), list(self.entrypoint)
        return Stage(self.base, root, self.interpreter, *copied, self.folder)


def pairs(instruction: Instruction, scope: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of ENV: `A=1 B="2 3"`, or `A the rest`."""
    first = instruction.value.split(maxsplit=1)
    if first and "=" not in first[0]:
        if len(first) == 1:
            raise instruction.error("gives no value.")
        return {first[0]: " ".join(words(first[1], scope))}
    pairs = [word.partition("=") for word in words(instruction.value, scope)]
    if not all(separator for _, separator, _ in pairs):
        raise instruction.error("is not of the form NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def one_word(instruction: Instruction, scope: Mapping[str, str]) -> str:
    """Return the one word of an instruction. Raises `DockerfileError`."""
    found = words(instruction.value, scope)
    if len(found) != 1:
        raise instruction.error("needs one path.")
    return found[0]


def command_of(instruction: Instruction) -> list[str]:
    """Return the command of CMD or ENTRYPOINT: the shell form is one of /bin/sh."""
    listed = instruction.listed()
    return ["/bin/sh", "-c", instruction.value] if listed is None else listed
