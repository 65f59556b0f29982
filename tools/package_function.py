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
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.declared_function import DeclaredFunction, read_function
from tools.interpreters import InterpreterNotFoundError, find_interpreter, host_architecture

CACHE = Path(".local/packages")
"""Installed and compiled requirements, one folder per lock file and target."""

_SHARED_PACKAGES = ("lambda_http", "pipeline.smoke")
_NOT_PACKAGED = ("Dockerfile*", "requirements.in", "requirements.txt", "__main__.py", "__pycache__", "*.pyc", ".*")
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
_LAMBDA_TASK_ROOT = "/var/task"


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

    They are the function's own, and those of each shared package that the function imports.
    """
    own = dict(_sources(code_uri, code_uri))
    shared = {place: path for folder in shared_packages(code_uri) for place, path in _sources(folder, code_uri.parent)}
    return own | shared


def shared_packages(code_uri: Path) -> list[Path]:
    """Return the folders of the packages beside `code_uri` that its sources import."""
    texts = [path.read_text(encoding="utf-8") for _, path in _sources(code_uri, code_uri) if path.suffix == ".py"]
    return [
        code_uri.parent / name.replace(".", "/")
        for name in _SHARED_PACKAGES
        if any(re.search(rf"^\s*(?:from|import) {re.escape(name)}\b", text, re.MULTILINE) for text in texts)
    ]


def _sources(folder: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(Path(part).match(pattern) for part in parts for pattern in _NOT_PACKAGED):
            yield path.relative_to(root), path


def _requirements(function: DeclaredFunction, target: Target) -> Path:
    """Return a folder with the installed requirements, made once per lock file, services and target."""
    requirements = function.code_uri / "requirements.txt"
    services = "any" if function.services is None else " ".join(sorted(function.services))  # a set has no order
    recipe = (requirements.read_text(), Path(__file__).read_text(), repr(target), services)
    key = hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]
    kind = f"{function.logical_id}-{target.version}-{target.platform or 'here'}"
    installed = CACHE / f"{kind}-{key}"
    if not installed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        for stale in CACHE.glob(f"{kind}-*"):  # what is kept for another target is not stale
            shutil.rmtree(stale, ignore_errors=True)
        unfinished = CACHE / f".{installed.name}.{os.getpid()}"
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
    except (PackagingError, InterpreterNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
