"""The process that launches others in mount namespaces ends with the engine, and says nothing."""

from __future__ import annotations

import select
import socket
import subprocess
import sys

import pytest

LAUNCHER = "emulator.engine.mount_namespace.launcher"


@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
@pytest.mark.parametrize("reads", [True, False], ids=["reads all", "leaves something unread"])
def test_it_ends_in_silence_when_the_engine_is_killed(reads: bool) -> None:
    engine, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with engine, control:
        process = subprocess.Popen(
            [sys.executable, "-m", LAUNCHER, str(control.fileno())],
            pass_fds=[control.fileno()],
            stderr=subprocess.PIPE,
        )
        control.close()
        assert select.select([engine], [], [], 60)[0]
        if reads:
            assert b"usable" in engine.recv(4096)
        engine.close()
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")
