"""`RUN pip install …` by the interpreter of the image's runtime, into the folder that stands for the image.

Source: pip's documentation, "pip install"; AWS Lambda Developer Guide, "Deploy Python Lambda functions with container
images" (where the base image has its packages, and `--target "${LAMBDA_TASK_ROOT}"`).
"""

from __future__ import annotations

import importlib.util
import posixpath
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator.engine.image_build.dockerfile import words
from emulator.engine.image_build.image_root import ImageRoot
from emulator.interpreters import Interpreter

_PYTHON = re.compile(r"(?:/var/lang/bin/|/usr/bin/)?python(?:3(?:\.\d+)?)?")
_PIP = re.compile(r"(?:/var/lang/bin/|/usr/bin/)?pip(?:3(?:\.\d+)?)?")
_OF_A_SHELL = re.compile(r"[;|<>()`*?{}]|(?<!&)&(?!&)")
"""What only a shell understands. Extras (`package[extra]`) are pip's, and `>=` stands in quotes."""
_WHERE = frozenset({"-t", "--target", "--prefix", "--root"})
_UNSEEN = frozenset({"--user", "--break-system-packages"})


def site_packages(runtime: str) -> str:
    """Return the folder of the image in which its interpreter has its packages."""
    return f"/var/lang/lib/{runtime}/site-packages"


def pip_commands(text: str, variables: Mapping[str, str]) -> list[list[str]] | None:
    """Return the arguments of each `pip install` of a shell line that has no other command; None for another line.

    The line may join several by `&&`. Raises `ValueError` with the end of a sentence.
    """
    unquoted = re.sub(r"\$\{\w+\}|'[^']*'|\"[^\"$`\\]*\"", "", text)
    if _OF_A_SHELL.search(unquoted):
        return None
    found = []
    for part in text.split("&&"):
        arguments = _of_pip(words(part, variables))
        if arguments is None:
            return None
        found.append(arguments)
    return found


def exec_form_command(listed: Sequence[str]) -> list[str] | None:
    """Return the arguments of the `pip install` that the exec form of `RUN` names; None when it names another."""
    return _of_pip(list(listed))


def command_line(
    arguments: Sequence[str], interpreter: Interpreter, runtime: str, root: ImageRoot, folder: str
) -> list[str]:
    """Return the command that runs `pip install` with `arguments` in the `folder` of an image for `runtime`.

    Paths of the image become those of the folder that stands for it. Raises `ValueError` with the end of a sentence.
    """
    if "--user" in arguments:
        raise ValueError("installs for a user (--user), where Lambda's runtime does not look: leave --user away.")
    kept = [each for each in arguments if each not in _UNSEEN]
    placed = _placed(kept, root, folder)
    if not any(each.partition("=")[0] in _WHERE or re.match(r"-t.", each) for each in kept):
        target = root.place(site_packages(runtime))
        placed += ["--target", str(target), "--upgrade"]
    return [str(interpreter.path), "-I", str(pip_package() / "__pip-runner__.py"), "install", "--no-input", *placed]


def _placed(arguments: Sequence[str], root: ImageRoot, folder: str) -> list[str]:
    placed = []
    for argument in arguments:
        option, separator, value = argument.rpartition("=")
        attached = re.fullmatch(r"(-[rtce])(/.*)", argument)
        if attached:
            placed.append(f"{attached[1]}{root.place(attached[2])}")
        elif argument.startswith("-") and separator and (value.startswith("/") or ".." in value.split("/")):
            placed.append(f"{option}={root.place(posixpath.join(folder, value))}")
        elif argument.startswith("/") or ".." in argument.split("/"):
            placed.append(str(root.place(posixpath.join(folder, argument))))
        else:
            placed.append(argument)
    return placed


def _of_pip(command: Sequence[str]) -> list[str] | None:
    if command and _PYTHON.fullmatch(command[0]) and list(command[1:3]) == ["-m", "pip"]:
        rest = list(command[3:])
    elif command and _PIP.fullmatch(command[0]):
        rest = list(command[1:])
    else:
        return None
    return rest[1:] if rest[:1] == ["install"] else None


def pip_package() -> Path:
    """Return the folder of the package `pip` beside this interpreter. Raises `ValueError` with the end of a sentence.

    Its `__pip-runner__.py` runs under any interpreter: so does `pip --python` do it.
    """
    pip = importlib.util.find_spec("pip")
    if pip is None or pip.origin is None:
        raise ValueError("needs pip, which is not beside this interpreter: install pip there.")
    return Path(pip.origin).parent
