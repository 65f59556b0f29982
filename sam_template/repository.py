"""Where this repository is, its template, its settings and samples: for the pipeline, the tests and the benchmarks.

The emulator knows no repository: it is told its project (`emulator/project/project.py`).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent
TEMPLATE: Final = REPOSITORY / "template.yaml"
SAMCONFIG: Final = REPOSITORY / "samconfig.toml"
REGION: Final[str] = tomllib.loads(SAMCONFIG.read_text(encoding="utf-8"))["default"]["global"]["parameters"]["region"]
"""The region that samconfig.toml gives a local run."""
INSTALLED: Final = REPOSITORY / ".local"
"""What `make setup` installs beside `.venv`: MiniStack, the runtime interface clients, packaged requirements."""
CATALOG: Final = REPOSITORY / "sample_data" / "catalog.json"
"""The sample catalogue, a JSON list of products."""
FILES: Final = REPOSITORY / "sample_data" / "files"
"""The sample files."""
