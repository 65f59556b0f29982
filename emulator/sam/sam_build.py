"""`sam build`, with an engine beside it that builds images: `python -m emulator.sam.sam_build [OPTION ...]`.

SAM CLI builds the image of a function by Docker's API. Where the template has such a function, and `ENGINE` does not
name another engine, one runs for the length of the build. The images are there for the emulator that starts later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from emulator.errors import EmulatorError
from emulator.project.paths import StatePaths
from emulator.project.project import Project
from emulator.sam.build import write_as_json

TOOLS = Path(sys.executable).parent
_NESTED = re.compile(r"""(?:Location|TemplateURL)["']?\s*:\s*["']?([^\s"',{}!]+)""")
_IMAGE = re.compile(r"""PackageType["']?\s*:\s*(?:["']?Image\b|[!{])""")


def has_images(template: Path) -> bool:
    """Tell whether a function of the template is, or may be, an image: its package type may be an intrinsic.

    `sam build` builds the functions of nested stacks too, of which the templates are local files.
    """
    return _has_images(template, set())


def _has_images(template: Path, seen: set[Path]) -> bool:
    seen.add(template.resolve())
    try:
        text = template.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # `sam` says so, and of a nested one that its location is an address
    if _IMAGE.search(text):
        return True
    nested = (template.parent / location for location in _NESTED.findall(text))
    return any(_has_images(one, seen) for one in nested if one.resolve() not in seen and one.is_file())


def build_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` with the programs of this interpreter's folder first: `pip` and `python` of SAM's builders."""
    path = os.pathsep.join((str(TOOLS), variables.get("PATH", os.defpath)))
    return {"SAM_CLI_TELEMETRY": "0", **variables, "PATH": path}


@contextlib.asynccontextmanager
async def image_builder(socket: Path, installed: Path) -> AsyncIterator[str]:
    """Run an engine on `socket` for the length of the block; yield what `DOCKER_HOST` is for it.

    Raises `EngineError` when it cannot listen there.
    """
    from emulator.engine import Engine

    engine = Engine(socket, installed=installed)
    await engine.start()
    try:
        yield f"unix://{socket}"
    finally:
        await engine.stop()


async def sam_build(
    arguments: Sequence[str],
    template: Path,
    *,
    folder: Path,
    socket: Path,
    installed: Path,
    built: Path,
    log: IO[bytes] | None = None,
) -> int:
    """Run `sam build` with `arguments` in `folder`, what it says going to `log`; return its exit status.

    The template that it leaves in the folder `built` is JSON afterwards. Raises `EngineError`.
    """
    command: list[str | Path] = [TOOLS / "sam", "build", *arguments]
    environment = build_environment(os.environ)
    if not has_images(template) or os.environ.get("ENGINE"):
        status = await _run(command, environment, folder, log)
    else:
        async with image_builder(socket, installed) as docker_host:
            status = await _run(command, {**environment, "DOCKER_HOST": docker_host}, folder, log)
    if status == 0 and (built / "template.yaml").is_file():
        write_as_json(built / "template.yaml")
    return status


async def _run(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, log: IO[bytes] | None
) -> int:
    process = await asyncio.create_subprocess_exec(
        *command, env=dict(environment), cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def main(arguments: Sequence[str]) -> int:
    """Build the project in this folder; return the exit status."""
    from emulator.engine import EngineError

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        project = Project.open(Path())
        socket = StatePaths.of(project).sockets / "build.sock"
        building = sam_build(
            arguments,
            project.template,
            folder=project.root,
            socket=socket,
            installed=project.installed,
            built=project.built,
        )
        return asyncio.run(building)
    except (EmulatorError, EngineError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
