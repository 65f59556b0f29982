"""The shop as the emulator sees it."""

from __future__ import annotations

import re
from pathlib import Path

from emulator.project.project import Project
from sam_template.repository import REPOSITORY, TEMPLATE

PROJECT = Project.open(REPOSITORY)
_DEFINITION = re.compile(r"DefinitionUri: *([\w./-]+)")


def link_definitions(folder: Path) -> None:
    """Put beside a copy of the template in `folder` the files that reading it reads: definitions of state machines."""
    for name in _DEFINITION.findall(TEMPLATE.read_text(encoding="utf-8")):
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(REPOSITORY / name)
