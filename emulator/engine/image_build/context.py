"""The build context that a client sends: a tar file, without what its .dockerignore leaves out."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path
from typing import IO

from emulator.engine.image_build.dockerfile import LIMIT_BYTES, DockerfileError
from emulator.engine.image_build.image_root import inside, unpack


def unpack_context(packed: IO[bytes], folder: Path, dockerfile: str) -> str:
    """Unpack a context into `folder` and return the text of its `dockerfile`. Raises `DockerfileError`, `TarError`.

    What `.dockerignore` names is left out; beside a Dockerfile of another name, `NAME.dockerignore` decides.
    """
    with tarfile.open(fileobj=packed, mode="r:") as archive:
        unpack(archive, folder)
    file = inside(folder, dockerfile)
    if not file.is_file():
        raise DockerfileError(f"Cannot locate specified Dockerfile: {dockerfile} is not in the build context.")
    if file.stat().st_size > LIMIT_BYTES:
        raise DockerfileError(f"{dockerfile} is larger than {LIMIT_BYTES >> 10} KB.")
    text = file.read_text(encoding="utf-8", errors="replace")
    ignore = next(
        (each for each in (file.with_name(f"{file.name}.dockerignore"), folder / ".dockerignore") if each.is_file()),
        None,
    )
    if ignore is not None:
        _leave_out(folder, ignore.read_text(encoding="utf-8", errors="replace"))
    return text


def _leave_out(folder: Path, patterns: str) -> None:
    from docker.utils.build import exclude_paths

    lines = [line.strip() for line in patterns.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    kept = set(exclude_paths(str(folder), named, ".dockerignore"))  # keeps that, for an engine that reads it
    if ".dockerignore" in named:
        kept.discard(".dockerignore")
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in (*names, *folders):
            path = Path(parent) / name
            if str(path.relative_to(folder)) in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            else:
                path.unlink()


def digest_of(folder: Path) -> str:
    """Return what is the same for the same files with the same modes, whenever they were written."""
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted((*names, *folders)):
            path = Path(parent) / name
            content = str(path.readlink()) if path.is_symlink() else ""
            digest.update(repr((str(path.relative_to(folder)), path.lstat().st_mode, content)).encode())
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
