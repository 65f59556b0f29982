"""How a person calls the emulator's commands: what its sentences say to run.

A project may call the emulator from a Makefile with targets of the same names, and says so with
SAM_EMULATOR_COMMAND=make.
"""

from __future__ import annotations

import os
from typing import Final

COMMAND_VARIABLE: Final = "SAM_EMULATOR_COMMAND"
PROGRAM: Final = "sam-emulator"
_ARGUMENTS: Final = ("function", "event")


def spelled(verb: str, **options: str | int) -> str:
    """Return a command in backticks: `sam-emulator start --port 3001`, or `make start PORT=3001`."""
    program = os.environ.get(COMMAND_VARIABLE) or PROGRAM
    if program == "make":
        return f"`{' '.join(['make', verb, *(f'{name.upper()}={value}' for name, value in options.items())])}`"
    words = [f"{value}" if name in _ARGUMENTS else f"--{name} {value}" for name, value in options.items()]
    return f"`{' '.join([program, verb, *words])}`"


def option(name: str) -> str:
    """Return the name of an option as a person gives it: FRONT, or --front."""
    return name.upper() if os.environ.get(COMMAND_VARIABLE) == "make" else f"--{name}"


def exporting() -> str:
    """Return the line of a shell that points `sam` and `aws` at the emulator, between backquotes."""
    return f'`eval "$({spelled("env").strip("`")})"`'
