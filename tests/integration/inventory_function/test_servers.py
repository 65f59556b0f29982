"""The application under web servers, in a shell after `make up` and `eval "$(make env FUNCTION=InventoryFunction)"`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from emulator.processes.ports import free_port
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.sam.sam_cli import shell_exports
from sam_template.repository import REPOSITORY

APP = REPOSITORY / "inventory_function"
SERVERS = [
    ("uvicorn", "--app-dir", APP, "app.main:app", "--port"),
    ("fastapi", "dev", APP / "app/main.py", "--no-reload", "--port"),
]
START_SECONDS = 30


@pytest.mark.parametrize("command", SERVERS, ids=lambda command: str(command[0]))
def test_a_server_finds_the_table_and_the_bucket(
    running: RunningEmulator, paths: StatePaths, command: Sequence[str | Path], tmp_path: Path
) -> None:
    port = free_port()
    words = " ".join(map(str, (*command, port)))
    exports = shell_exports(running, json.loads(paths.sam_environment.read_text()), "InventoryFunction")
    with (tmp_path / "log").open("wb") as log:
        shell = ["sh", "-c", f"{exports}\nexec {words}"]
        server = subprocess.Popen(shell, cwd=REPOSITORY, env=dict(os.environ), stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until_it_answers(client, server)
            assert len(client.get("/inventory", params={"limit": 2}).json()["items"]) == 2
            assert client.get("/file/download/sample.txt").content
            refused = client.post("/inventory", content="{")
            assert (refused.status_code, refused.json()["request_id"]) == (400, "-")
            large = client.post("/inventory", content="x" * 70_000)
            assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
    finally:
        server.terminate()
        server.wait()


def wait_until_it_answers(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server does not answer")
