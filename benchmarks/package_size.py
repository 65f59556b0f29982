"""How large the function's package is, and how large the same requirements are as they come from the index."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Measure, Section
from benchmarks.plan import Plan
from benchmarks.processes import BUILD, FUNCTION, declared_function, environment, timed
from emulator.interpreters import find_interpreter
from emulator.project.paths import StatePaths
from emulator.sam.sam_cli import TOOLS
from tools.package_function import packaged_sources

MEGABYTE = 1_000_000


async def measure(_: Plan, folder: Path) -> list[Section]:
    """Measure the build of this machine beside an install of its lock file that nothing was taken out of."""
    built = BUILD / FUNCTION
    unpruned = await _unpruned(folder)
    packages = (
        ("as shipped", sizes(built)),
        ("without its bytecode", sizes(built, lambda path: path.suffix != ".pyc")),
        ("unpruned install, no bytecode", sizes(unpruned)),
    )
    measures = []
    for subject, (unzipped, zipped) in packages:
        measures.append(Measure(subject, "unzipped", "MB", (unzipped / MEGABYTE,), charted=True))
        measures.append(Measure(subject, "zipped", "MB", (zipped / MEGABYTE,), charted=True))
    section = Section(
        "package",
        "Package of the inventory function",
        tuple(measures),
        ("1 MB is 1 000 000 bytes; zipped with deflate, as sam deploy does. Wheels are those of this machine.",),
        is_matrix=True,
    )
    return [section]


async def _unpruned(folder: Path) -> Path:
    function, installed = declared_function(), folder / "unpruned"
    interpreter = find_interpreter(function.runtime)
    await timed(
        [
            *(TOOLS / "uv", "pip", "install", "--quiet", "--target", installed, "--python", interpreter.path),
            *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy"),
            *("--requirements", function.code_uri / "requirements.txt"),
        ],
        environment(StatePaths(folder)),
        folder,
    )
    for place, source in packaged_sources(function.code_uri).items():
        copy = installed / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    return installed


def sizes(folder: Path, is_counted: Callable[[Path], bool] = lambda _: True) -> tuple[int, int]:
    """Return the bytes of the files below `folder` that count, and of a zip of them."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and is_counted(path)]
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for path in files:
                archive.write(path, path.relative_to(folder))
        return sum(path.stat().st_size for path in files), target.seek(0, 2)
