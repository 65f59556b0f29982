"""One rehearsal at a time: two would build into one folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.rehearsal.account import alone
from pipeline.rehearsal.errors import RehearsalError


def test_a_second_rehearsal_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    lock = tmp_path / "installed" / "lock"
    with alone(lock), pytest.raises(RehearsalError, match="wait until"), alone(lock):
        pass
    with alone(lock):
        pass
