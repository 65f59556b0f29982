"""The images that were built, kept on disk: those of `sam build` are there for the emulator that starts later."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from emulator.engine.images import Image

_KEPT_OF_A_NAME = 2
"""A container may be about to be made from the image that a build has just replaced."""
_SHORTEST_ID = 12
_LONGEST_BUILD_SECONDS = 24 * 3600


class ImageStore:
    """Images by their names in `folder`, which several engines may share.

    `builds/KEY` has the files of an image and `builds/KEY.json` its settings; KEY stands for what it was built of.
    `names.json` has the keys of each name, the last build at the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._builds = folder / "builds"
        self._names = folder / "names.json"
        self._leasing = threading.Lock()
        self._leases: dict[str, int] = {}
        """For each image that was found here, its settings' file, open and locked: no other engine removes it."""

    def find(self, name: str) -> Image | None:
        """Return the image of that name, or of that id: the digest or its first twelve digits."""
        names = self._read()
        full = name_with_tag(name)
        if full in names:
            self._lease(names[full][-1])
            return self.built(names[full][-1], full)
        wanted = name.removeprefix("sha256:")
        everyone = [image for known, keys in names.items() for key in keys if (image := self.built(key, known))]
        found = [each for each in everyone if each.digest.removeprefix("sha256:").startswith(wanted)]
        return found[0] if found and len(wanted) >= _SHORTEST_ID else None

    def built(self, key: str, name: str) -> Image | None:
        """Return the image that was built of what `key` stands for, as `name`; None when there is none."""
        root = self._builds / key
        try:
            settings = json.loads(root.with_suffix(".json").read_text())
        except (OSError, ValueError):
            return None
        if not root.is_dir():
            return None
        return Image(
            name,
            name.rpartition(":")[0],
            str(settings["runtime"]),
            root=root,
            environment=tuple((variable, value) for variable, value in settings["environment"]),
            command=tuple(settings["command"]),
            entrypoint=tuple(settings["entrypoint"]),
            working_directory=str(settings["working_directory"]),
        )

    @contextlib.contextmanager
    def workshop(self) -> Iterator[Path]:
        """Yield an empty folder in which an image may be made."""
        self._builds.mkdir(parents=True, exist_ok=True)
        for left in self._builds.glob(".*"):  # by a build that was killed
            if time.time() - left.stat().st_mtime > _LONGEST_BUILD_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=".", dir=self._builds)).resolve()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, image: Image, key: str) -> Image:
        """Move the files of `image` to where those of `key` are. Return it as it is kept."""
        assert image.root is not None  # noqa: S101 an image without files is a base
        place = self._builds / key
        settings = asdict(replace(image, root=None))
        unfinished = image.root.with_suffix(".json")
        unfinished.write_text(json.dumps(settings | {"layers": None}))
        unfinished.replace(place.with_suffix(".json"))
        try:
            image.root.rename(place)
        except OSError:
            if not place.is_dir():  # else another build of the same was quicker
                raise
        return replace(image, name=name_with_tag(image.name), root=place)

    def name(self, name: str, key: str, in_use: Iterable[Path] = ()) -> None:
        """Give the image of `key` a name, and remove images that no name has any more, but not those `in_use`."""
        with self._locked():
            names, full = self._read(), name_with_tag(name)
            names[full] = [*(each for each in names.get(full, []) if each != key), key][-_KEPT_OF_A_NAME:]
            self._write(names, in_use)

    def remove(self, name: str, in_use: Iterable[Path] = ()) -> bool:
        """Take a name away, and its images unless another has them or they are `in_use`. Tell whether it was there."""
        with self._locked():
            names = self._read()
            was_there = names.pop(name_with_tag(name), None) is not None
            if was_there:
                self._write(names, in_use)
        return was_there

    def _write(self, names: dict[str, list[str]], in_use: Iterable[Path]) -> None:
        unfinished = self._names.with_suffix(".tmp")
        unfinished.write_text(json.dumps(names))
        unfinished.replace(self._names)
        kept = {each for keys in names.values() for each in keys} | {folder.name for folder in in_use}
        for key in self._leases.keys() - kept:
            os.close(self._leases.pop(key))
        unused = {folder.stem for folder in self._builds.glob("[!.]*")} - kept
        for key in filter(self._is_free, unused):
            for folder in self._builds.glob(f"{key}*"):
                shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink(missing_ok=True)

    def close(self) -> None:
        """Let other engines remove what was found here."""
        for descriptor in self._leases.values():
            os.close(descriptor)
        self._leases.clear()

    def _lease(self, key: str) -> None:
        # Builds look for images in threads of their own.
        with self._leasing, contextlib.suppress(OSError):  # `built` finds out that it is gone
            if key not in self._leases:
                descriptor = os.open(self._builds / f"{key}.json", os.O_RDONLY | os.O_CLOEXEC)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                self._leases[key] = descriptor

    def _is_free(self, key: str) -> bool:
        """Tell whether no engine has found the image."""
        try:
            with (self._builds / f"{key}.json").open() as settings:
                fcntl.flock(settings, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _read(self) -> dict[str, list[str]]:
        try:
            return {str(name): list(map(str, keys)) for name, keys in json.loads(self._names.read_text()).items()}
        except (OSError, ValueError):
            return {}

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def name_with_tag(name: str) -> str:
    """Return the name with its tag, which is `latest` where it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
