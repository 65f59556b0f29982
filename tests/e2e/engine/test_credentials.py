"""A function runs with its role's credentials, and with fresh ones when they are about to expire."""

import asyncio
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
import pytest

from emulator.credentials import RoleCredentials
from emulator.engine import Engine
from tests.e2e.engine.sam import HOME, free_port, write_project

BASE = "public.ecr.aws/lambda/python:3.13-x86_64"


def invoke_twice(socket: Path, project: Path) -> list[dict[str, str]]:
    """Run a container as SAM CLI does; return the variables that two invocations saw."""
    client = docker.DockerClient(base_url=f"unix://{socket}")
    port = free_port()
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "Environment",
        "AWS_LAMBDA_FUNCTION_HANDLER": "functions.environment",
        "AWS_ACCESS_KEY_ID": "the-developers",
    }
    volumes = {str(project / "code"): {"bind": "/var/task", "mode": "ro"}}
    try:
        container = client.containers.create(
            BASE, environment=variables, volumes=volumes, ports={8080: ("127.0.0.1", port)}
        )
        container.start()
        seen = [_post(port) for _ in range(2)]
        container.remove(force=True)
    finally:
        client.close()
    return seen


def _post(port: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", method="POST")) as answer:
        body: dict[str, Any] = json.loads(json.load(answer)["body"])
    return dict(body["variables"])


def run(tmp_path: Path, lifetime: timedelta) -> list[dict[str, str]]:
    asked: list[str] = []

    async def provide(function: str) -> RoleCredentials:
        asked.append(function)
        return RoleCredentials(f"key-{len(asked)}", "secret", f"token-{len(asked)}", datetime.now(UTC) + lifetime)

    async def scenario() -> list[dict[str, str]]:
        socket = tmp_path / "run" / "e.sock"
        engine = Engine(socket, home=HOME, credentials=provide)
        await engine.start()
        try:
            return await asyncio.to_thread(invoke_twice, socket, write_project(tmp_path, "Environment"))
        finally:
            await engine.stop()

    seen = asyncio.run(scenario())
    assert set(asked) == {"Environment"}
    return seen


def test_the_roles_credentials_are_those_the_function_sees(tmp_path: Path) -> None:
    first, second = run(tmp_path, timedelta(hours=1))
    assert (first["AWS_ACCESS_KEY_ID"], first["AWS_SESSION_TOKEN"]) == ("key-1", "token-1")
    assert second["AWS_ACCESS_KEY_ID"] == "key-1"


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-60)])
def test_credentials_that_expire_are_not_used_again(tmp_path: Path, lifetime: timedelta) -> None:
    first, second = run(tmp_path, lifetime)
    assert first["AWS_ACCESS_KEY_ID"] != second["AWS_ACCESS_KEY_ID"]
