"""The build that functions run from: what `sam build` made, or for another state folder a copy of it.

The emulator copies saved sources into the build. Two emulators of one checkout never share one.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from emulator.errors import EmulatorError
from emulator.paths import BUILT, StatePaths


def prepare(paths: StatePaths) -> None:
    """Make the folder `paths.build` ready. Raises `EmulatorError` when nothing is built, `OSError`."""
    if not (BUILT / "template.yaml").is_file():
        raise EmulatorError("The functions are not built: run `make build`.")
    if paths.build != BUILT:
        shutil.rmtree(paths.build, ignore_errors=True)
        try:
            shutil.copytree(BUILT, paths.build, copy_function=_link_or_copy, symlinks=True)
        except _CopyError as error:
            raise error.reason from error


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
