"""The region of a local run: what `samconfig.toml` tells sam."""

from __future__ import annotations

import tomllib
from typing import Final

from emulator.paths import REPOSITORY

_SAMCONFIG: Final = REPOSITORY / "samconfig.toml"

REGION: Final[str] = tomllib.loads(_SAMCONFIG.read_text(encoding="utf-8"))["default"]["global"]["parameters"]["region"]
