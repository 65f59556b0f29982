"""The images that SAM CLI builds: those of Dockerfiles, and those it derives from them or from a runtime's base.

A derived one has the runtime interface emulator, which the engine has no use for, and the layers of a function.
Source: SAM CLI 1.170, `LambdaImage._generate_dockerfile`: FROM a base, ADD the runtime interface emulator, ADD each
layer over those before it.
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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from emulator.engine.image_build.builder import Builder, BuildSettings, unseen_files
from emulator.engine.image_build.context import digest_of, unpack_context
from emulator.engine.image_build.image_root import ImageRoot, OutsideError
from emulator.engine.image_build.store import ImageStore
from emulator.engine.images import Image, cannot_run, find_image
from emulator.engine.layers import content_digest

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
_RUNTIME_INTERFACE_EMULATOR = re.compile(r"^/?aws-lambda-rie")
_UNSEEN = (
    "{name} has files that a function does not find here, because they are neither under /var/task nor under /opt: "
    "{files}."
)
_RECIPE = 1
"""Counted up when the same Dockerfile would give other files."""


@dataclass(frozen=True)
class BuildRequest:
    """What a client asks to be built: a tar file, by the `dockerfile` in it, under a `name`."""

    name: str
    context: IO[bytes]
    dockerfile: str = "Dockerfile"
    settings: BuildSettings = field(default_factory=BuildSettings)


class BuiltImages:
    """The images built by the clients of one engine: their layers in `folder`, those of Dockerfiles in `images`."""

    def __init__(self, folder: Path, images: Path) -> None:
        self._folder = folder
        self._store = ImageStore(images)
        self._built: dict[str, list[Image]] = {}

    def find(self, name: str) -> Image | None:
        """Return the image of that name: one that was built, or a runtime's."""
        return self._built[name][-1] if name in self._built else self._store.find(name) or find_image(name)

    def build(self, request: BuildRequest, say: Callable[[str], None], in_use: Iterable[Path] = ()) -> Image:
        """Build an image and `say` what is done. Raises `ValueError` with a sentence when it cannot be built here."""
        name, context = request.name, request.context
        if context.seek(0, os.SEEK_END) > CONTEXT_LIMIT_BYTES:
            raise ValueError(f"The build context of {name} is larger than {CONTEXT_LIMIT_BYTES >> 20} MB.")
        context.seek(0)
        try:
            with tarfile.open(fileobj=context, mode="r:") as archive:
                is_derived = any(_RUNTIME_INTERFACE_EMULATOR.match(each) for each in archive.getnames())
        except (tarfile.TarError, OSError) as error:
            raise ValueError(f"The build context of {name} is no tar file ({error}).") from error
        context.seek(0)
        return self._derive(name, context) if is_derived else self._build(request, say, in_use)

    def _build(self, request: BuildRequest, say: Callable[[str], None], in_use: Iterable[Path]) -> Image:
        """Build the image of a Dockerfile; the same Dockerfile, context and base give the image that is there."""
        with self._store.workshop() as folder:
            context, stages = folder / "context", folder / "stages"
            context.mkdir()
            stages.mkdir()
            try:
                dockerfile = unpack_context(request.context, context, request.dockerfile)
            except (tarfile.TarError, OutsideError) as error:
                raise ValueError(f"The build context of {request.name} cannot be unpacked: {error}.") from error
            builder = Builder(context, stages, request.settings, self.find, say)
            recipe = (str(_RECIPE), dockerfile, digest_of(context), builder.recipe(dockerfile))
            key = hashlib.sha256("\0".join(recipe).encode()).hexdigest()
            image = self._store.built(key, request.name)
            if image is None:
                image = self._store.keep(builder.build(request.name, dockerfile), key)
                unseen = unseen_files(ImageRoot(image.root or folder), image.runtime)
                if unseen:
                    some = ", ".join(unseen[:3]) + " …" * (len(unseen) > 3)
                    say(f"{_UNSEEN.format(name=request.name, files=some)}\n")
            else:
                say("Using cache\n")
        self._store.name(request.name, key, in_use)
        return image

    def _derive(self, name: str, context: IO[bytes]) -> Image:
        try:
            with tarfile.open(fileobj=context, mode="r:") as archive:
                base, layers = self._instructions(name, archive)
                members = [member for layer in layers for member in _members(archive, layer)]
                folder = self._extract(archive, members)
        except (tarfile.TarError, OSError, KeyError) as error:
            raise ValueError(f"{cannot_run(name)} ({error})") from error
        if (folder / "extensions").is_dir():
            _LOG.warning("The layers %s hold extensions, which the engine does not run.", ", ".join(layers))
        image = replace(base, name=name, layers=folder if layers else None)
        self.add(image)
        return image

    def add(self, image: Image) -> None:
        """Keep an image by its name, in place of the one that had it."""
        self._built[image.name] = [*self._built.get(image.name, []), image][-_KEPT_OF_A_NAME:]

    def remove(self, name: str, in_use: Iterable[Path]) -> bool:
        """Forget the image of that name. Tell whether one was built."""
        return (self._built.pop(name, None) is not None) | self._store.remove(name, in_use)

    def close(self) -> None:
        """Let other engines remove the images that this one has found."""
        self._store.close()

    def prune(self, in_use: Iterable[Path]) -> None:
        """Remove layers that no image has any more, but not those `in_use`."""
        kept = {image.layers for images in self._built.values() for image in images} | set(in_use)
        for folder in self._folder.glob("[!.]*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _instructions(self, name: str, archive: tarfile.TarFile) -> tuple[Image, list[str]]:
        """Return the base and the names of the layers, in order; raise `ValueError` for any other Dockerfile."""
        dockerfile = archive.extractfile("Dockerfile")
        lines = dockerfile.read().decode().splitlines() if dockerfile else []
        base, named, layers = None, name, []
        for line in filter(None, map(str.strip, lines)):
            if found := _BASE.fullmatch(line):
                named = found[1]
                base = self.find(named)
            elif found := _LAYER.fullmatch(line):
                layers.append(found[1])
            elif not _PASSED_OVER.fullmatch(line):
                raise ValueError(cannot_run(name))
        if base is None:
            raise ValueError(cannot_run(named))
        return base, layers

    def _extract(self, archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> Path:
        """Return the folder of the layers' content, kept once."""
        self._folder.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".", dir=self._folder))
        try:
            for member in members:
                archive.extract(member, fresh, filter="data")
            fresh.chmod(0o755)
            folder = self._folder / content_digest(fresh)
            if not folder.is_dir():
                try:
                    fresh.rename(folder)
                except OSError:
                    if not folder.is_dir():  # else another build of the same layers was quicker
                        raise
            return folder
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


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
