"""Where this repository is, its template and its samconfig.toml, and the region that the latter gives a local run."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
TEMPLATE: Final = REPOSITORY / "template.yaml"
SAMCONFIG: Final = REPOSITORY / "samconfig.toml"
REGION: Final[str] = tomllib.loads(SAMCONFIG.read_text(encoding="utf-8"))["default"]["global"]["parameters"]["region"]
