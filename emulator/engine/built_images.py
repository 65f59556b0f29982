"""The images that SAM CLI builds for functions with layers: what such a function finds under /opt.

Source: SAM CLI 1.170, `LambdaImage._generate_dockerfile`: FROM a runtime's base, ADD the runtime interface emulator,
ADD each layer over those before it. The engine needs the base's name and the layers.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from emulator.engine.images import Image, cannot_run, find_image

if TYPE_CHECKING:
    from io import BufferedReader

CONTEXT_LIMIT_BYTES = 1024 * 1024 * 1024
"""The largest build context that is taken: four times what Lambda allows a function and its layers."""

_LOG = logging.getLogger(__name__)
_BASE = re.compile(r"FROM (\S+)")
_LAYER = re.compile(r"ADD (\S+) (?:/opt|/tmp/layer\d+)")
_PASSED_OVER = re.compile(
    r"ADD aws-lambda-rie\S* /var/rapid/|RUN mv /var/rapid/.*|RUN cp -rf /tmp/layer\d+/\. /opt/ && rm -rf /tmp/layer\d+"
)
_KEPT_OF_A_NAME = 2
"""A container may be about to be made from the image that a build has just replaced."""


class BuiltImages:
    """The images built by the clients of one engine; their layers are kept in `folder`, once for each content."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[str, list[Image]] = {}

    def find(self, name: str) -> Image | None:
        """Return the image of that name: one that was built, or a runtime's."""
        return self._built[name][-1] if name in self._built else find_image(name)

    def build(self, name: str, context: IO[bytes]) -> Image:
        """Build the image `name` from a tar file. Raises `ValueError` with a sentence when it is not one of layers."""
        if context.seek(0, os.SEEK_END) > CONTEXT_LIMIT_BYTES:
            raise ValueError(f"The layers of {name} are larger than {CONTEXT_LIMIT_BYTES >> 20} MB.")
        context.seek(0)
        try:
            with tarfile.open(fileobj=context, mode="r:") as archive:
                base, layers = _instructions(name, archive)
                members = [member for layer in layers for member in _members(archive, layer)]
                digest = _digest(base, archive, members)
                folder = self._folder / digest
                if not folder.is_dir():
                    self._extract(archive, members, folder)
        except (tarfile.TarError, OSError, KeyError) as error:
            raise ValueError(f"{cannot_run(name)} ({error})") from error
        if (folder / "extensions").is_dir():
            _LOG.warning("The layers %s hold extensions, which the engine does not run.", ", ".join(layers))
        image = replace(base, name=name, layers=folder)
        self.add(image)
        return image

    def add(self, image: Image) -> None:
        """Keep an image by its name, in place of the one that had it."""
        self._built[image.name] = [*self._built.get(image.name, []), image][-_KEPT_OF_A_NAME:]

    def prune(self, in_use: Iterable[Path]) -> None:
        """Remove layers that no image has any more, but not those `in_use`."""
        kept = {image.layers for images in self._built.values() for image in images} | set(in_use)
        for folder in self._folder.glob("[!.]*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _extract(self, archive: tarfile.TarFile, members: list[tarfile.TarInfo], folder: Path) -> None:
        self._folder.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=self._folder))
        try:
            for member in members:
                archive.extract(member, fresh, filter="data")
            fresh.chmod(0o755)
            fresh.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another build of the same layers was quicker
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _instructions(name: str, archive: tarfile.TarFile) -> tuple[Image, list[str]]:
    """Return the base and the names of the layers, in order; raise `ValueError` for any other Dockerfile."""
    dockerfile = archive.extractfile("Dockerfile")
    lines = dockerfile.read().decode().splitlines() if dockerfile else []
    base, layers = None, []
    for line in filter(None, map(str.strip, lines)):
        if found := _BASE.fullmatch(line):
            base = find_image(found[1])
        elif found := _LAYER.fullmatch(line):
            layers.append(found[1])
        elif not _PASSED_OVER.fullmatch(line):
            raise ValueError(cannot_run(name))
    if base is None:
        raise ValueError(cannot_run(name))
    return base, layers


def _members(archive: tarfile.TarFile, layer: str) -> Iterator[tarfile.TarInfo]:
    """Yield what `layer` holds, named as under /opt."""
    prefix = f"{layer}/"
    for member in archive.getmembers():
        if member.name.startswith(prefix):
            inside = copy.copy(member)
            inside.name = member.name.removeprefix(prefix)
            if member.islnk():
                inside.linkname = member.linkname.removeprefix(prefix)
            yield inside


def _digest(base: Image, archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> str:
    """Return what is the same for the same content, whenever it was packed."""
    digest = hashlib.sha256(base.runtime.encode())
    for member in members:
        digest.update(repr((member.name, member.mode, member.type, member.linkname, member.size)).encode())
        if member.isfile() and (content := archive.extractfile(member)):
            digest.update(hashlib.file_digest(cast("BufferedReader", content), "sha256").digest())
    return digest.hexdigest()
