"""The region of a local run: what `samconfig.toml` tells sam."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

_SAMCONFIG: Final = Path(__file__).resolve().parents[1] / "samconfig.toml"

REGION: Final[str] = tomllib.loads(_SAMCONFIG.read_text())["default"]["global"]["parameters"]["region"]
