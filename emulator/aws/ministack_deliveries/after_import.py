"""Changes modules of MiniStack when they are imported, so that a start costs no import more."""

from __future__ import annotations

import importlib.abc
import importlib.util
from typing import Any


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls `changes[name]` with the module `name` after its import: MiniStack imports services when it needs them."""

    def __init__(self, changes: dict[str, Any]) -> None:
        self._changes = changes

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:  # noqa: ARG002 (the interface's)
        """Return the spec that the other finders have (Python Library Reference, `importlib.abc.MetaPathFinder`)."""
        change = self._changes.pop(name, None)
        spec: Any = importlib.util.find_spec(name) if change is not None else None
        if spec is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module: Any) -> None:
            execute(module)
            change(module)

        spec.loader.exec_module = execute_and_change
        return spec
