"""A process is known by its id and its start: an id that another process has now means another process."""

from __future__ import annotations

import os
import time

import pytest

from emulator.processes.process_identity import ProcessIdentity


def forked(seconds: float = 0) -> int:
    child = os.fork()
    if child == 0:
        time.sleep(seconds)
        os._exit(0)
    return child


def test_a_process_that_runs_has_an_identity_that_stays() -> None:
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    assert identity == ProcessIdentity.of(os.getpid())
    assert identity.is_running()


def test_a_process_that_is_gone_does_not_run() -> None:
    child = forked(0.2)
    identity = ProcessIdentity.of(child)
    assert identity is not None
    os.waitpid(child, 0)
    assert not identity.is_running()


def test_a_process_that_waits_to_be_reaped_does_not_run() -> None:
    child = forked(0.2)
    identity = ProcessIdentity.of(child)
    assert identity is not None
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert not identity.is_running()
    os.waitpid(child, 0)


def test_another_process_with_the_same_id_is_another() -> None:
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    assert not ProcessIdentity(identity.pid, "another start").is_running()


@pytest.mark.parametrize("pid", [0, -1, pytest.param(-os.getpid(), id="negative"), 2**31, 2**63, 10**20])
def test_a_number_that_is_no_process_id_has_no_identity(pid: int) -> None:
    assert ProcessIdentity.of(pid) is None
    assert not ProcessIdentity(pid, "").is_running()
