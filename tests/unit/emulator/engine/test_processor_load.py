"""Whether the processors were busy between two questions."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

from emulator.engine.processor_load import ProcessorLoad


class Times(SimpleNamespace):
    def __iter__(self) -> object:
        return iter((self.user, self.idle))


@pytest.mark.parametrize(("busy", "idle", "full"), [(0.95, 0.05, True), (0.5, 0.5, False), (0.0, 1.0, False)])
def test_nine_tenths_are_full(monkeypatch: pytest.MonkeyPatch, busy: float, idle: float, *, full: bool) -> None:
    times = Times(user=10.0, idle=10.0)
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    load = ProcessorLoad()
    assert not load.is_full()
    times.user += busy
    times.idle += idle
    assert load.is_full() is full
    assert load.is_full() is full  # nothing new is known
