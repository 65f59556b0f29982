"""Package one function for `sam build`: its sources, its locked requirements, and bytecode for its runtime.

SAM's makefile builder calls this through the root Makefile's `build-<LogicalId>` targets with the folder to fill. What
to package is read from `template.yaml`. Where it will run decides the target:

* AWS Lambda, the default: the template's `LambdaRuntime` and `LambdaArchitecture`, whatever this machine is.
* This machine, with `PACKAGE_FOR=local`: the interpreter and platform on which the emulator's engine runs functions.
* Containers of this machine, with `PACKAGE_FOR=container`: the template's runtime, this machine's architecture.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from emulator.errors import EmulatorError
from emulator.interpreters import InterpreterNotFoundError, find_interpreter, host_architecture
from emulator.project.declaration import read_declaration
from emulator.project.packaged_sources import compile_sources
from tools.declared_function import DeclaredFunction, read_function

CACHE = Path(".local/packages")
"""Installed and compiled requirements, one folder per lock file and target."""

_NEVER_LOADED = (
    "bin",
    ".lock",
    "boto3/examples",
    "fastapi_standalone_docs/static/fastapi",
    "fastapi_standalone_docs/static/redoc",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "**/py.typed",
    "**/*.pyi",
)
# Lambda's Amazon Linux 2023 images carry glibc 2.34; wheels for 2.28 run there and are the ones that projects publish.
_LAMBDA_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}


class PackagingError(Exception):
    """The package could not be made; the message says what to do."""


@dataclass(frozen=True)
class Target:
    """Where the package will run. `interpreter` compiles bytecode; without one the package ships none."""

    version: str
    platform: str | None
    interpreter: Path | None


def package(function: DeclaredFunction, artifacts: Path, target: Target) -> None:
    """Fill `artifacts` with the requirements and the sources of `function`, compiled for `target`.

    Raises `PackagingError` when a requirement cannot be installed.
    """
    artifacts.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_requirements(function, target), artifacts, dirs_exist_ok=True)
    sources = packaged_sources(function.code_uri)
    for place, source in sources.items():
        (artifacts / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, artifacts / place)
    if target.interpreter:
        compile_sources(artifacts, sources, target.interpreter)


def packaged_sources(code_uri: Path) -> dict[Path, Path]:
    """Return the source files that belong into the package of the function in `code_uri`, by their places in it.

    Which they are, `emulator.toml` says: the emulator copies the same ones into the build when they change. Raises
    EmulatorError for a file that it cannot read.
    """
    return read_declaration(Path(__file__).resolve().parents[1]).packaging.sources(code_uri)


def _requirements(function: DeclaredFunction, target: Target) -> Path:
    """Return a folder with the installed requirements, made once per lock file, services and target."""
    requirements = function.code_uri / "requirements.txt"
    services = "any" if function.services is None else " ".join(sorted(function.services))  # a set has no order
    locked = requirements.read_text() if requirements.exists() else ""
    # Not where the interpreter lies: another of the same version compiles the same.
    made_for = f"{target.version} {target.platform} {target.interpreter is not None}"
    recipe = (locked, Path(__file__).read_text(), made_for, services)
    key = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]
    kind = f"{function.logical_id}-{target.version}-{target.platform or 'here'}"
    installed = CACHE / f"{kind}-{key}"
    if not installed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        for stale in CACHE.glob(f"{kind}-*"):  # what is kept for another target is not stale
            shutil.rmtree(stale, ignore_errors=True)
        unfinished = CACHE / f".{installed.name}.{os.getpid()}"
        unfinished.mkdir()
        if locked.strip():
            _install(requirements, unfinished, target)
        _prune(unfinished, function.services)
        if target.interpreter:
            compile_sources(unfinished, [Path()], target.interpreter)
        unfinished.rename(installed)
    return installed


def _install(requirements: Path, folder: Path, target: Target) -> None:
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if uv is None:
        raise PackagingError("uv is missing: run `make setup`.")
    where = ["--python-platform", target.platform] if target.platform else []
    command: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--target",
        folder,
        "--python-version",
        target.version,
        *where,
    ]
    command += ["--python", target.interpreter or sys.executable, "--only-binary", ":all:", "--no-deps"]
    command += ["--require-hashes", "--link-mode", "copy", "--requirements", requirements]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise PackagingError(
            f"The requirements in {requirements} could not be installed for Python {target.version}; "
            f"if the package index does not answer, check the network or UV_DEFAULT_INDEX.\n{installed.stderr.strip()}"
        )


def _prune(folder: Path, services: frozenset[str] | None) -> None:
    for pattern in _NEVER_LOADED:
        for path in list(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if services is None:
        return
    for model in (folder / "botocore" / "data").glob("*/"):
        if model.is_dir() and model.name not in services:
            shutil.rmtree(model)


def _target(function: DeclaredFunction) -> Target:
    if os.environ.get("PACKAGE_FOR") == "local":
        interpreter = find_interpreter(function.runtime)
        return Target(interpreter.version, None, interpreter.path)
    version = function.runtime.removeprefix("python")
    is_container = os.environ.get("PACKAGE_FOR") == "container"
    architecture = host_architecture() if is_container else function.architecture
    try:
        found = find_interpreter(function.runtime)
        compiler = found.path if found.exact else None
    except InterpreterNotFoundError:
        compiler = None
    if compiler is None:
        sys.stderr.write(f"No Python {version} here: the package ships no bytecode and starts more slowly.\n")
    return Target(version, _LAMBDA_PLATFORMS[architecture], compiler)


def main() -> int:
    """Package the function named on the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Package one function of template.yaml for sam build.")
    parser.add_argument("logical_id")
    parser.add_argument("artifacts", type=Path)
    parser.add_argument("--template", type=Path, default=Path("template.yaml"))
    arguments = parser.parse_args()
    try:
        function = read_function(arguments.template, arguments.logical_id)
        package(function, arguments.artifacts, _target(function))
    except (EmulatorError, PackagingError, InterpreterNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
