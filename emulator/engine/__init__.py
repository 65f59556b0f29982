"""A container engine for the unmodified `sam local`: Lambda containers as ordinary processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.engine.engine import Engine
    from emulator.engine.errors import EngineError

__all__ = ["Engine", "EngineError"]


def __getattr__(name: str) -> Any:
    # On first use: `python -m emulator.engine.runtime_client` needs neither of them, nor what they import.
    if name == "Engine":
        from emulator.engine.engine import Engine

        return Engine
    if name == "EngineError":
        from emulator.engine.errors import EngineError

        return EngineError
    raise AttributeError(name)
