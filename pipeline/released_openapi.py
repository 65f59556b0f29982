"""Hold the inventory's OpenAPI document against the released one, which is committed, so that it breaks no client."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from pipeline.openapi_changes import Comparison

RELEASED: Final = Path("docs/openapi/inventory.json")
_MAKE_DOCUMENT: Final = "import json; from app.main import app; print(json.dumps(app.openapi()))"


def _contract(part: Any) -> Any:
    """Return a document without its prose, which may change from one Python to the next."""
    if isinstance(part, dict):
        return {
            key: _contract(value)
            for key, value in part.items()
            if not (key in ("title", "summary", "description") and isinstance(value, str))
        }
    return [_contract(each) for each in part] if isinstance(part, list) else part


def current_document() -> dict[str, Any]:
    """Return the document of `app.main:app`, made by a process of its own: the pipeline imports no function."""
    environment = {**os.environ, "PYTHONPATH": "inventory_function"}
    made = subprocess.run(
        [sys.executable, "-c", _MAKE_DOCUMENT], env=environment, check=True, capture_output=True, text=True
    )
    document: dict[str, Any] = json.loads(made.stdout)
    return document


def main() -> int:
    """Compare the inventory's document with the released one, or release it; return the exit status."""
    parser = argparse.ArgumentParser(description="Check that the inventory's API breaks no client.")
    parser.add_argument("--released", type=Path, default=RELEASED)
    parser.add_argument("--write", action="store_true", help="release the document as it is now")
    parser.add_argument("--breaking", action="store_true", help="release it although it breaks clients")
    arguments = parser.parse_args()
    current = current_document()
    released = json.loads(arguments.released.read_text(encoding="utf-8"))
    broken = list(Comparison(released, current).breaks())
    if broken and not (arguments.write and arguments.breaking):
        sys.stderr.write("".join(f"{each}\n" for each in broken))
        sys.stderr.write("Clients break: take that back, or accept it with `make openapi BREAKING=yes`.\n")
        return 1
    if arguments.write:
        arguments.released.write_text(json.dumps(current, indent=2) + "\n", encoding="utf-8")
    elif _contract(released) != _contract(current):
        sys.stderr.write(f"The API has grown: bring {arguments.released} up to date with `make openapi`.\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
