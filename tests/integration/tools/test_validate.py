"""`make validate` ends with its checks."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import psutil
import pytest

from sam_template.repository import REPOSITORY

SLOW_CHECKS = 2
"""How many of the checks take seconds: more than the time that a test needs to interrupt them."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_check_runs_on_after_an_interruption(number: signal.Signals) -> None:
    validate = subprocess.Popen(
        [REPOSITORY / "tools" / "validate.sh"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(checks := psutil.Process(validate.pid).children(recursive=True)) < SLOW_CHECKS:
        assert time.monotonic() < deadline, "the checks did not start"
        time.sleep(0.02)
    os.killpg(validate.pid, number)
    assert validate.wait(5) == 130
    _, running = psutil.wait_procs(checks, timeout=5)
    assert not running
