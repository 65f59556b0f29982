"""Which runtime an image name stands for.

SAM CLI names the base image of a ZIP function `public.ecr.aws/lambda/python:3.13-x86_64` and the one it derives from it
`public.ecr.aws/lambda/python:3.13-rapid-x86_64` (`LambdaImage.build`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAYERS_PREFIX = "samcli/lambda"
"""How the names of images of a runtime and layers begin."""
_BUILD_IMAGE = re.compile(r"(?:public\.ecr\.aws/sam/build-|(?:docker\.io/)?amazon/aws-sam-cli-build-image-)")
_NO_BUILD_IN_A_CONTAINER = (
    "The engine has no containers to build in: leave --use-container away, then this machine's interpreter builds, or "
    "let DOCKER_HOST name Docker, Finch or Podman."
)
_PYTHON_IMAGES = tuple(
    re.compile(pattern + r"(?:-(?:x86_64|arm64))?(?:@sha256:[0-9a-f]+)?")
    for pattern in (
        # A tag may go on with the date of the build: 3.13.2025.11.24.09
        r"(?P<repository>public\.ecr\.aws/lambda/python):(?P<version>3\.\d+)(?:\.\d+)*(?:-preview)?(?:-rapid)?",
        r"(?P<repository>(?:docker\.io/)?amazon/aws-lambda-python):(?P<version>3\.\d+)(?:\.\d+)*(?:-preview)?",
        r"(?P<repository>public\.ecr\.aws/sam/emulation-python(?P<version>3\.\d+))(?::[\w.-]+?)?",
        r"(?P<repository>(?:docker\.io/)?amazon/aws-sam-cli-emulation-image-python(?P<version>3\.\d+))(?::[\w.-]+?)?",
    )
)
_ENTRYPOINT = ("/lambda-entrypoint.sh",)
_TASK_ROOT = "/var/task"


@dataclass(frozen=True)
class Image:
    """An image that the engine stands in for.

    `layers` is the folder of what SAM CLI has put under /opt, if it has. `root` is the folder of the files of an image
    that was built from a Dockerfile; its settings are `environment` (what ENV adds to the base's), `command`,
    `entrypoint` and `working_directory`. `refusal` is a sentence when the engine cannot run it: a container of it
    answers with that.
    """

    name: str
    repository: str
    runtime: str
    layers: Path | None = None
    root: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = _ENTRYPOINT
    working_directory: str = _TASK_ROOT
    refusal: str = ""

    @property
    def digest(self) -> str:
        """Return one digest per content: a base image never looks older than the registry's."""
        content = [self.runtime, *(folder.name for folder in (self.layers, self.root) if folder)]
        return "sha256:" + hashlib.sha256(" ".join(content).encode()).hexdigest()

    @property
    def opt(self) -> tuple[Path, ...]:
        """Return the folders that a function finds over one another at /opt."""
        own = self.root / "opt" if self.root is not None else None
        return tuple(folder for folder in (own, self.layers) if folder is not None and any(folder.iterdir()))

    def inspection(self) -> dict[str, Any]:
        """Return what `GET /images/{name}/json` answers (Docker Engine API v1.35, ImageInspect)."""
        return {
            "Id": self.digest,
            "RepoTags": [self.name],
            "RepoDigests": [f"{self.repository}@{self.digest}"],
            "Created": "2025-01-01T00:00:00Z",
            "Architecture": "amd64",
            "Os": "linux",
            "Size": 0,
            "Config": {
                # SAM CLI reads the handler of an image function here.
                "Cmd": ["handler"] if self.refusal else list(self.command) or None,
                "Entrypoint": list(self.entrypoint) or None,
                "Env": [f"{name}={value}" for name, value in self.environment],
                "Labels": None,
                "WorkingDir": self.working_directory,
            },
        }

    def distribution(self) -> dict[str, Any]:
        """Return what `GET /distribution/{name}/json` answers (Docker Engine API v1.35, DistributionInspect)."""
        media_type = "application/vnd.docker.distribution.manifest.v2+json"
        return {"Descriptor": {"mediaType": media_type, "digest": self.digest, "size": 0}, "Platforms": []}


def find_image(name: str) -> Image | None:
    """Return the image of that name, or None when the engine has no runtime for it."""
    for pattern in _PYTHON_IMAGES:
        if found := pattern.fullmatch(name):
            return Image(name, found["repository"], f"python{found['version']}")
    return None


def refused_image(name: str, reason: str) -> Image:
    """Return an image that cannot run; `reason` is a sentence."""
    return Image(name, name.partition(":")[0], "", refusal=reason)


def find_build_image(name: str) -> Image | None:
    """Return the image of that name when `sam build --use-container` builds in it: its containers are refused.

    SAM CLI drops what is said of an image that is absent, and shows what is said of a container.
    """
    return refused_image(name, _NO_BUILD_IN_A_CONTAINER) if _BUILD_IMAGE.match(name) else None


def no_such_image(name: str) -> str:
    """Return Docker's words for an absent image; docker-py knows it by `No such image`."""
    return f"No such image: {name}"


def cannot_run(name: str) -> str:
    """Return the sentence for a runtime or an image that only a real container engine can run."""
    return (
        f"The engine runs Python functions and images that `sam build` made of Python's base image; {name} is neither: "
        "start Docker, Finch or Podman and run again with ENGINE=docker."
    )
