"""The interpreter and the packages that stand for each of Lambda's runtimes on this machine."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from emulator.engine.errors import EngineError
from emulator.engine.images import cannot_run
from emulator.engine.runtime_client import ensure_runtime_client
from emulator.interpreters import Interpreter, InterpreterNotFoundError, find_interpreter

_LOG = logging.getLogger(__name__)


class Runtimes:
    """Finds each runtime once; its packages are in `installed`, and are put there at the first need."""

    def __init__(self, installed: Path) -> None:
        self._installed = installed
        self._found: dict[str, tuple[Interpreter, Path]] = {}
        self._lock = asyncio.Lock()

    async def get(self, runtime: str) -> tuple[Interpreter, Path]:
        """Return the interpreter for `runtime` (`python3.13`), or one that stands in for it, and its packages' folder.

        Raises `EngineError` for a runtime of another language, and when no interpreter or no package index answers.
        """
        async with self._lock:
            if runtime not in self._found:
                self._found[runtime] = await asyncio.to_thread(self._find, runtime)
            return self._found[runtime]

    def _find(self, runtime: str) -> tuple[Interpreter, Path]:
        if not runtime.startswith("python"):
            raise EngineError(cannot_run(runtime or "an image function"))
        try:
            interpreter = find_interpreter(runtime)
        except InterpreterNotFoundError as error:
            raise EngineError(str(error)) from error
        if not interpreter.exact:
            _LOG.warning("No %s on this machine: functions run on %s.", runtime, interpreter.runtime)
        return interpreter, ensure_runtime_client(interpreter, self._installed)
