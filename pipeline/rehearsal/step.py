"""The steps of a rehearsal: one line and its seconds each, and what must hold."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from pipeline.rehearsal.errors import RehearsalError


def expect(holds: bool, otherwise: str) -> None:
    """Raise RehearsalError with `otherwise` unless it holds."""
    if not holds:
        raise RehearsalError(f"{otherwise[:1].upper()}{otherwise[1:]}.")


@contextlib.contextmanager
def step(name: str) -> Iterator[Callable[[str], None]]:
    """Print one line for a step: its name, its seconds, and what the block says of it."""
    began = time.monotonic()
    remarks: list[str] = []
    try:
        yield remarks.append
    except Exception:
        remarks.append("FAILED")
        raise
    except BaseException:
        remarks.append("interrupted")
        raise
    finally:
        seconds = time.monotonic() - began
        sys.stdout.write(f"{name:<13} {seconds:5.1f} s  {'; '.join(remarks)}".rstrip() + "\n")
        sys.stdout.flush()
