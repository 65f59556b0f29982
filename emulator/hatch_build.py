"""Put both packages into the distribution: this folder as `emulator`, and `sam_template`, which lies beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SHIPPED = (".py", ".txt", ".in", ".json")
_NOT_SHIPPED = ("hatch_build.py", "repository.py")
"""What only the build needs, and what is about the repository that both packages come from."""


class Packages(BuildHookInterface[Any]):
    """Names each file and its place (hatch, "Build hook plugins", `force_include`)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Add the packages to the wheel, and to a source distribution the one that it has not got."""
        root = Path(self.root)
        # In this folder when it is an unpacked source distribution.
        sam_template = next(path for path in (root / "sam_template", root.parent / "sam_template") if path.is_dir())
        packages = {"sam_template": sam_template}
        if self.target_name == "wheel":
            packages["emulator"] = root
        for name, folder in packages.items():
            for file in _files(folder, apart_from=sam_template if folder == root else None):
                build_data["force_include"][str(file)] = f"{name}/{file.relative_to(folder)}"


def _files(folder: Path, *, apart_from: Path | None) -> Iterator[Path]:
    for file in folder.rglob("*"):
        is_shipped = file.suffix in _SHIPPED and file.name not in _NOT_SHIPPED
        if is_shipped and "__pycache__" not in file.parts and (apart_from is None or apart_from not in file.parents):
            yield file
