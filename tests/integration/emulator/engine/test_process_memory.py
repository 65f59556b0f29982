"""The memory of a process and of those it started, as the system tells it."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

from emulator.engine.process import _descendants

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


def test_children_and_grandchildren_are_found_as_psutil_finds_them() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PARENT!r}])"]
    )
    try:
        deadline = time.monotonic() + 20
        while len(expected := psutil.Process(process.pid).children(recursive=True)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert {each.pid for each in _descendants(process.pid)} == {each.pid for each in expected}
    finally:
        for each in psutil.Process(process.pid).children(recursive=True):
            each.kill()
        process.kill()
        process.wait()


def test_a_process_that_has_ended_has_none() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert _descendants(process.pid) == []
