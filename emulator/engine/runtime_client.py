"""Keep the packages of Lambda's managed runtime, `awslambdaric` and boto3, where the engine finds them.

Each interpreter has its own.

Run in set-up as `python -m emulator.engine.runtime_client python3.13 .local`; the engine calls it when it is missing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from emulator.engine.errors import EngineError
from emulator.interpreters import Interpreter, InterpreterNotFoundError, find_interpreter

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_STAMP = ".requirements-sha256"


def ensure_runtime_client(interpreter: Interpreter, installed: Path) -> Path:
    """Return the folder of the packages for `interpreter`, filled under `installed`/runtime if it is not there.

    The folder is complete or absent: it is filled beside its place and renamed. Raises `EngineError` when the package
    index does not answer.
    """
    folder = installed.resolve() / "runtime" / interpreter.runtime
    stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if _is_current(folder, stamp):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _install(interpreter, fresh)
        (fresh / _STAMP).write_text(stamp)
        fresh.chmod(0o755)
        _put_in_place(fresh, folder, stamp)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def has_runtime_client(interpreter: Interpreter, installed: Path) -> bool:
    """Tell whether the packages for `interpreter` are there already."""
    folder = installed.resolve() / "runtime" / interpreter.runtime
    return _is_current(folder, hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest())


def install_command(*arguments: str) -> list[str]:
    """Return a command of uv, asking the package index that pip's variables or uv's name. Raises `EngineError`."""
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL")
    named = ["--default-index", index] if index and arguments[0] == "pip" else []
    return [_uv(), *arguments, "--quiet", "--no-config", "--system-certs", *named]


def _is_current(folder: Path, stamp: str) -> bool:
    try:
        return (folder / _STAMP).read_text() == stamp
    except OSError:
        return False


def _install(interpreter: Interpreter, target: Path) -> None:
    # Compiled here: an execution environment of Lambda cannot write bytecode, and neither do the engine's.
    command = install_command("pip", "install", "--python", str(interpreter.path))
    command += ["--target", str(target), "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"]
    answer = subprocess.run([*command, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    if answer.returncode:
        reason = " ".join(answer.stderr.split())[-400:]
        raise EngineError(
            f"awslambdaric and boto3 for {interpreter.runtime} could not be installed: check the network, or name your "
            f"package index in UV_DEFAULT_INDEX ({reason})."
        )


def _put_in_place(fresh: Path, folder: Path, stamp: str) -> None:
    for _ in range(3):
        try:
            fresh.rename(folder)
        except OSError:
            if _is_current(folder, stamp):  # another process was quicker
                return
            old = fresh.with_name(f"{fresh.name}-old")
            try:
                folder.rename(old)
            except OSError:
                continue
            shutil.rmtree(old, ignore_errors=True)
        else:
            return
    raise EngineError(f"{folder} cannot be replaced: remove it and try again.")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")
    if found is None:
        raise EngineError("uv is neither beside this interpreter nor on PATH: install uv.")
    return found


def main(arguments: list[str]) -> int:
    """Install the client for the runtime that `arguments` name, and print its folder."""
    if len(arguments) != 2:
        print("usage: python -m emulator.engine.runtime_client RUNTIME FOLDER", file=sys.stderr)
        return 2
    runtime, folder = arguments
    try:
        print(ensure_runtime_client(find_interpreter(runtime), Path(folder)))
    except (EngineError, InterpreterNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
