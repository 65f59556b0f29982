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
_PYTHON_IMAGE = re.compile(
    r"(?:docker\.io/)?(?P<repository>public\.ecr\.aws/lambda/python):(?P<version>3\.\d+)(?:-preview)?"
    r"(?:-rapid)?(?:-(?:x86_64|arm64))?(?:@sha256:[0-9a-f]+)?"
)


@dataclass(frozen=True)
class Image:
    """An image that the engine stands in for.

    `layers` is the folder of what it has under /opt, if it has any. `refusal` is a sentence when the engine cannot run
    it: a container of it answers with that.
    """

    name: str
    repository: str
    runtime: str
    layers: Path | None = None
    refusal: str = ""

    @property
    def digest(self) -> str:
        """Return one digest per runtime and layers: the base image never looks older than the registry's."""
        content = f"{self.runtime} {self.layers.name}" if self.layers else self.runtime
        return "sha256:" + hashlib.sha256(content.encode()).hexdigest()

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
                "Cmd": ["handler"] if self.refusal else [],  # SAM CLI reads the handler of an image function here
                "Entrypoint": ["/lambda-entrypoint.sh"],
                "Env": [],
                "Labels": None,
                "WorkingDir": "/var/task",
            },
        }

    def distribution(self) -> dict[str, Any]:
        """Return what `GET /distribution/{name}/json` answers (Docker Engine API v1.35, DistributionInspect)."""
        media_type = "application/vnd.docker.distribution.manifest.v2+json"
        return {"Descriptor": {"mediaType": media_type, "digest": self.digest, "size": 0}, "Platforms": []}


def find_image(name: str) -> Image | None:
    """Return the image of that name, or None when the engine has no runtime for it."""
    found = _PYTHON_IMAGE.fullmatch(name)
    if found is None:
        return None
    return Image(name, found["repository"], f"python{found['version']}")


def refused_image(name: str, reason: str) -> Image:
    """Return an image that cannot run; `reason` is a sentence."""
    return Image(name, name.partition(":")[0], "", refusal=reason)


def no_such_image(name: str) -> str:
    """Return Docker's words for an absent image; docker-py knows it by `No such image`."""
    return f"No such image: {name}"


def cannot_run(name: str) -> str:
    """Return the sentence for an image that only a real container engine can run."""
    return (
        f"The engine runs Python functions of PackageType Zip; {name} needs a real container engine: "
        "start Docker, Finch or Podman and run again with ENGINE=docker."
    )
