"""Write a software bill of materials for each function: CycloneDX 1.5, by `uv export`, of its locked requirements.

uv exports the lock of a project alone, so each function's `requirements.txt` stands as the dependencies of a project of
its own while it is exported. The versions are the locked ones, for the template's runtime on Lambda's Linux.
Sources: uv's documentation, "Exporting a lockfile"; CycloneDX 1.5, "Bill of Materials".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.declared_function import DeclaredFunction, read_functions

_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_PINNED = re.compile(r"^[A-Za-z0-9][^\\#]*==[^\\#]*", re.MULTILINE)


class SbomError(Exception):
    """The document could not be made; the message says what to do."""


def project(function: DeclaredFunction) -> str:
    """Return the `pyproject.toml` of a project that depends on exactly what `function` has locked."""
    locked = function.code_uri / "requirements.txt"
    requirements = locked.read_text(encoding="utf-8") if locked.exists() else ""
    dependencies = [pinned.strip() for pinned in _PINNED.findall(requirements)]
    major, minor = map(int, function.runtime.removeprefix("python").split("."))
    environment = (
        f"sys_platform == 'linux' and platform_machine == '{_MACHINES[function.architecture]}' "
        f"and python_full_version >= '{major}.{minor}' and python_full_version < '{major}.{minor + 1}'"
    )
    return "\n".join(
        (
            "[project]",
            f"name = {json.dumps(function.logical_id)}",
            'version = "0"',
            'requires-python = ">=3.11"',
            f"dependencies = {json.dumps(dependencies)}",
            "[tool.uv]",
            "package = false",
            f"environments = [{json.dumps(environment)}]",
            "",
        )
    )


def write(function: DeclaredFunction, folder: Path) -> Path:
    """Write the bill of materials of `function` into `folder`; return its path. Raises SbomError when uv refuses."""
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if uv is None:
        raise SbomError("uv is missing: run `make setup`.")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder.resolve() / f"{function.logical_id}.cdx.json"
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "pyproject.toml").write_text(project(function), encoding="utf-8")
        command: list[str | Path] = [uv, "export", "--quiet", "--project", scratch, "--python", sys.executable]
        command += ["--format", "cyclonedx1.5", "--preview-features", "sbom-export", "--output-file", target]
        exported = subprocess.run(command, capture_output=True, text=True, check=False)
    if exported.returncode:
        raise SbomError(
            f"uv lists nothing for {function.logical_id}; if the package index does not answer, check the network or "
            f"UV_DEFAULT_INDEX.\n{exported.stderr.strip()}"
        )
    return target


def main() -> int:
    """Write the bills of materials of all functions into the folder of the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Write what each function's package contains, as CycloneDX.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--template", type=Path, default=Path("template.yaml"))
    arguments = parser.parse_args()
    try:
        for function in read_functions(arguments.template):
            sys.stdout.write(f"{write(function, arguments.folder)}\n")
    except SbomError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
