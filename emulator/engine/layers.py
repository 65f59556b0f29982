"""The folder that a function finds at /opt: its layers over one another.

Source: AWS Lambda Developer Guide, "Working with layers" (extracted in order; of two files the later one's stays).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


class MergedLayers:
    """Merged layers, kept in `folder`: once for each content, named by it, wherever the layers came from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.held: set[Path] = set()
        """What `merged` has returned."""
        self._known: dict[tuple[Path, ...], Path] = {}

    def merged(self, layers: Sequence[Path]) -> Path:
        """Return a folder that holds what is in `layers`, in order. Raises `OSError` for one that cannot be read."""
        merged: dict[str, Path] = {}
        for layer in layers:
            merged.update(_files(layer))
        folder = self._folder / _digest(merged)
        if not folder.is_dir():
            self._copy(merged, folder)
        self.held.add(folder)
        return folder

    def merged_once(self, layers: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return `layers`, whose content never changes, as one folder at most. Raises `OSError`."""
        if len(layers) < 2:
            return layers
        if layers not in self._known:
            self._known[layers] = self.merged(layers)
        return (self._known[layers],)

    def _copy(self, files: dict[str, Path], folder: Path) -> None:
        self._folder.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=self._folder))
        try:
            for name, source in files.items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, fresh / name, follow_symlinks=False)
            fresh.chmod(0o755)
            fresh.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another was quicker
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def content_digest(layers: Path) -> str:
    """Return the name of a folder of merged layers."""
    return _digest(dict(_files(layers)))


def _files(layer: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files and links below `layer`, named as under /opt, in one order. Raises `OSError`."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(layer, onerror=fail):
        folders.sort()
        links = [each for each in folders if Path(parent, each).is_symlink()]
        for name in sorted((*names, *links)):
            path = Path(parent, name)
            yield str(path.relative_to(layer)), path


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        path = files[name]
        target = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115
        digest.update(repr((name, target, os.access(path, os.X_OK))).encode())
        if not target and path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
