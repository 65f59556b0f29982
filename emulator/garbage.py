"""When Python looks for garbage: hardly during a start, which only makes what stays, and then as ever."""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS: Final = 200_000
_USUAL: Final = gc.get_threshold()


def leave_it_during_a_start() -> None:
    """Look for garbage a hundred times less often, until `collect_it_again`."""
    gc.set_threshold(_ALLOCATIONS)


def collect_it_again() -> None:
    """Look for garbage as often as Python does, and never again among what there is now."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
