"""The folder that stands for an image's file system, and what is copied into it. No path leads out of it."""

from __future__ import annotations

import glob
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

TASK_ROOT = "/var/task"
FOLDERS_OF_THE_BASE = (
    *(TASK_ROOT, "/opt", "/tmp", "/etc", "/home", "/root"),  # noqa: S108
    *("/usr/local/bin", "/var/lang", "/var/runtime"),
)
"""Folders that Lambda's base images have: a file that is copied to one of them goes into it."""
SIZE_LIMIT_BYTES = 1024 * 1024 * 1024
"""How much an archive may unpack to: four times what Lambda allows a ZIP function, a tenth of its image."""


class OutsideError(ValueError):
    """A path that leads out of the folder it belongs to."""


@dataclass(frozen=True)
class ImageRoot:
    """The folder of one image or build stage."""

    folder: Path

    def prepare(self) -> None:
        """Make the folders of the base."""
        for name in FOLDERS_OF_THE_BASE:
            self.place(name).mkdir(parents=True, exist_ok=True)

    def place(self, path: str) -> Path:
        """Return where the image's absolute `path` is. Raises `OutsideError` when a link leads out of the image."""
        return inside(self.folder, path)

    def copy(self, sources: list[Path], destination: str, *, into_folder: bool) -> None:
        """Copy `sources` to `destination` as `COPY` does: a folder's content, a file into a folder or by that name."""
        target = self.place(destination)
        into_folder = into_folder or target.is_dir()
        for source in sources:
            if source.is_dir():
                self._copy_folder(source.resolve(), target)
            else:
                self._copy_file(source.resolve(), target / source.name if into_folder else target)

    def extract(self, archive: Path, destination: str) -> None:
        """Unpack a tar file as `ADD` does. Raises `OutsideError`, `tarfile.TarError`."""
        target = self.place(destination)
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as packed:
            unpack(packed, target)

    def files(self) -> Iterator[str]:
        """Yield the absolute path, within the image, of everything that is no folder."""
        for parent, _, names in os.walk(self.folder):
            for name in names:
                yield "/" + (Path(parent) / name).relative_to(self.folder).as_posix()

    def _copy_folder(self, source: Path, target: Path) -> None:
        for parent, folders, names in os.walk(source):
            inner = target / Path(parent).relative_to(source)
            inside(self.folder, "/" + inner.relative_to(self.folder).as_posix()).mkdir(parents=True, exist_ok=True)
            links = [name for name in folders if (Path(parent) / name).is_symlink()]
            for name in (*names, *links):
                self._copy_file(Path(parent) / name, inner / name)

    def _copy_file(self, source: Path, target: Path) -> None:
        target = inside(self.folder, "/" + target.parent.relative_to(self.folder).as_posix()) / target.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            raise OutsideError(f"{target.relative_to(self.folder)} is a folder and would become a file")
        target.unlink(missing_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_file():
            shutil.copy2(source, target)


def inside(folder: Path, path: str) -> Path:
    """Return `path`, absolute as seen from `folder`, below it. Raises `OutsideError` when a link leads out of it."""
    normal = os.path.normpath(f"/{path}").lstrip("/")
    root = folder.resolve()
    found = (root / normal).resolve()
    if found != root and root not in found.parents:
        raise OutsideError(f"{path} leads out of it")
    return found


def select(folder: Path, pattern: str) -> list[Path]:
    """Return what `pattern` names in `folder`, `*` and `?` included. Raises `OutsideError`, `FileNotFoundError`."""
    relative = os.path.normpath(pattern.lstrip("/") or ".")
    if relative == ".." or relative.startswith("../"):
        raise OutsideError(f"{pattern} is outside the build context")
    named = sorted(glob.glob(relative, root_dir=folder, include_hidden=True))  # noqa: PTH207 Path's has no hidden files
    if not named:
        raise FileNotFoundError(f"{pattern} is not there")
    if not all(inside(folder, each).exists() for each in named):
        raise FileNotFoundError(f"{pattern} is not there")
    return [folder / each for each in named]


def unpack(packed: tarfile.TarFile, folder: Path) -> None:
    """Unpack files, folders and links into `folder`; what leads out of it and devices are left out.

    Raises `OutsideError` when the files are larger than `SIZE_LIMIT_BYTES`.
    """
    members = [
        member
        for member in packed.getmembers()
        if member.isfile() or member.isdir() or member.issym() or member.islnk()
    ]
    if sum(member.size for member in members) > SIZE_LIMIT_BYTES:
        raise OutsideError(f"it unpacks to more than {SIZE_LIMIT_BYTES >> 20} MB")
    for member in members:
        try:
            packed.extract(member, folder, filter="data")
        except (tarfile.FilterError, KeyError):
            # As in a virtual environment that lies in the context: its python is a link to the machine's.
            if not member.issym() and not member.islnk():
                raise


def is_directory_name(path: str) -> bool:
    """Tell whether `path` can only be a folder by the way it is written."""
    return path.endswith("/") or PurePosixPath(path).name in ("", ".", "..")
