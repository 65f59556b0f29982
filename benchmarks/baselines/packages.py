"""The packages of the baselines and floors: their own locked requirements, with bytecode, as the services have it.

The requirements are installed by this benchmark alone, once for each lock file.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from benchmarks.baselines.subjects import Service, Subject
from benchmarks.processes import BUILD, environment, timed
from emulator.interpreters import Interpreter
from emulator.project.packaged_sources import compile_sources
from emulator.project.paths import StatePaths
from emulator.sam.sam_cli import TOOLS
from sam_template.repository import INSTALLED

_CACHE: Final = INSTALLED / "baselines"
_HANDLER: Final = "lambda_handler.py"


async def package(service: Service, subject: Subject, interpreter: Interpreter, folder: Path) -> Path:
    """Return the folder that is the subject's /var/task. Raises `BenchmarkError` when the index does not answer."""
    if subject.sources is None:
        return BUILD / service.logical_id
    task_root = folder / f"{service.name}-{subject.kind}".replace(" ", "-")
    requirements = subject.sources / "requirements.txt"
    if requirements.exists():
        key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
        installed = await _installed(requirements, key, interpreter, folder)
        shutil.copytree(installed, task_root, copy_function=_link)
    task_root.mkdir(exist_ok=True)
    shutil.copyfile(subject.sources / _HANDLER, task_root / _HANDLER)
    compile_sources(task_root, [Path(_HANDLER)], interpreter.path)
    return task_root


async def _installed(requirements: Path, key: str, interpreter: Interpreter, folder: Path) -> Path:
    name = f"{requirements.parent.name}-{interpreter.version}"
    installed = _CACHE / f"{name}-{key}"
    if not installed.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        for stale in _CACHE.glob(f"{name}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        unfinished = folder / f"unfinished-{name}"
        await timed(
            [
                *(TOOLS / "uv", "pip", "install", "--quiet", "--target", unfinished, "--python", interpreter.path),
                *("--only-binary", ":all:", "--no-deps", "--require-hashes", "--link-mode", "copy"),
                *("--requirements", requirements),
            ],
            environment(StatePaths(folder)),
            folder,
        )
        compile_sources(unfinished, [Path()], interpreter.path)
        shutil.move(unfinished, installed)
    return installed


def _link(source: str, target: str) -> None:
    """Make `target` another name of `source` where both are on one file system, else a copy."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
