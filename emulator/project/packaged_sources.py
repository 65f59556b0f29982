"""Which of a project's files `sam build` puts into a function's package, and the bytecode beside them.

Source: aws-lambda-builders, `workflows/python_pip/workflow.py`, `EXCLUDED_FILES`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

_NEVER_PACKAGED: Final = (
    "__pycache__",
    "*.pyc",
    "*.so",
    "*.egg",
    "*.egg-info",
    "htmlcov",
    "venv",
    "venv.bak",
    "env",
    ".*",
)
_LAMBDA_TASK_ROOT: Final = "/var/task"


class Packaging(NamedTuple):
    """What a project's build puts into packages.

    `shared` names packages (`common`, `tools.checks`) that lie beside the functions' folders and go with whoever
    imports them. `left_out` are patterns of further names that stay out.
    """

    shared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def sources(self, code_uri: Path) -> dict[Path, Path]:
        """Return the source files that belong into the package of the function in `code_uri`, by their places in it.

        They are the function's own, and those of each shared package that the function imports.
        """
        own = dict(self._files(code_uri, code_uri))
        folders = self.shared_packages(code_uri)
        return own | {place: path for folder in folders for place, path in self._files(folder, code_uri.parent)}

    def shared_packages(self, code_uri: Path) -> list[Path]:
        """Return the folders of the packages beside `code_uri` that its sources import."""
        if not self.shared:
            return []
        files = [path for _, path in self._files(code_uri, code_uri) if path.suffix == ".py"]
        texts = [path.read_text(encoding="utf-8") for path in files]
        return [
            code_uri.parent / name.replace(".", "/")
            for name in self.shared
            if any(re.search(rf"^\s*(?:from|import) {re.escape(name)}\b", text, re.MULTILINE) for text in texts)
        ]

    def includes(self, path: Path) -> bool:
        """Tell whether a file or folder at `path`, relative to a folder of sources, belongs into a package."""
        return all(self._includes_name(part) for part in path.parts)

    def _includes_name(self, name: str) -> bool:
        return _any_of((*_NEVER_PACKAGED, *self.left_out)).match(name) is None

    def _files(self, folder: Path, root: Path) -> Iterator[tuple[Path, Path]]:
        for parent, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if self._includes_name(name))
            for name in sorted(files):
                if self._includes_name(name):
                    path = Path(parent, name)
                    yield path.relative_to(root), path


@cache
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return one expression for all `patterns` of names: each file of a project is compared with them."""
    return re.compile("|".join(map(translate, patterns)))


def compile_sources(folder: Path, sources: Iterable[Path], interpreter: Path) -> None:
    """Write *unchecked-hash* bytecode for `sources`, files or folders relative to `folder`.

    A zip does not keep the mtimes that Python's default kind of bytecode is checked against. Tracebacks name files as
    they stand in Lambda. A source that does not compile gets no bytecode: importing it tells why.
    """
    command: list[str | Path] = [interpreter, "-m", "compileall", "-q", "-j", "0", "-i", "-"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", folder, "-p", _LAMBDA_TASK_ROOT]
    listed = "\n".join(str(folder / source) for source in sources)
    if listed:  # given an empty list, compileall would compile all of sys.path
        subprocess.run(command, input=listed, text=True, check=False, stdout=subprocess.DEVNULL)
