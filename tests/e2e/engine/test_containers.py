"""Containers by docker-py, as SAM CLI makes them, in ways that `sam` cannot be made to repeat at will."""

import asyncio
import json
import socket
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import docker
import pytest

from emulator.credentials import RoleCredentials, RoleCredentialsProvider
from emulator.engine import Engine
from emulator.processes.ports import free_port
from sam_template.repository import INSTALLED
from tests.e2e.engine.sam import FUNCTIONS, wait_until, write_project

BASE = "public.ecr.aws/lambda/python:3.13-x86_64"
T = TypeVar("T")


def create(client: Any, project: Path, function: str, port: int) -> Any:
    """Make a container as SAM CLI does."""
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_HANDLER": FUNCTIONS[function]["Handler"],
        "AWS_ACCESS_KEY_ID": "the-developers",
        "RECORDS": str((project / "records").resolve()),
    }
    volumes = {str(project / "code"): {"bind": "/var/task", "mode": "ro"}}
    return client.containers.create(BASE, environment=variables, volumes=volumes, ports={8080: ("127.0.0.1", port)})


def invoke_twice(client: Any, project: Path) -> list[dict[str, str]]:
    """Return the variables that two invocations saw."""
    port = free_port()
    container = create(client, project, "Environment", port)
    container.start()
    seen = [_variables(port) for _ in range(2)]
    container.remove(force=True)
    return seen


def with_engine(folder: Path, work: Callable[[Any], T], credentials: RoleCredentialsProvider | None = None) -> T:
    """Run `work(client)` in a thread beside an engine."""

    def connected(socket: Path) -> T:
        client = docker.DockerClient(base_url=f"unix://{socket}")
        try:
            return work(client)
        finally:
            client.close()

    async def scenario() -> T:
        engine = Engine(folder / "run" / "e.sock", installed=INSTALLED, credentials=credentials)
        await engine.start()
        try:
            return await asyncio.to_thread(connected, folder / "run" / "e.sock")
        finally:
            await engine.stop()

    return asyncio.run(scenario())


def post(port: int) -> Any:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", method="POST")) as answer:
        return json.load(answer)


def _variables(port: int) -> dict[str, str]:
    body: dict[str, Any] = json.loads(post(port)["body"])
    return dict(body["variables"])


def seen_with_credentials(tmp_path: Path, lifetime: timedelta) -> list[dict[str, str]]:
    asked: list[str] = []

    async def provide(function: str) -> RoleCredentials:
        asked.append(function)
        return RoleCredentials(f"key-{len(asked)}", "secret", f"token-{len(asked)}", datetime.now(UTC) + lifetime)

    project = write_project(tmp_path, "Environment")
    seen = with_engine(tmp_path, lambda client: invoke_twice(client, project), provide)
    assert set(asked) == {"Environment"}
    return seen


def test_the_roles_credentials_are_those_the_function_sees(tmp_path: Path) -> None:
    first, second = seen_with_credentials(tmp_path, timedelta(hours=1))
    assert (first["AWS_ACCESS_KEY_ID"], first["AWS_SESSION_TOKEN"]) == ("key-1", "token-1")
    assert second["AWS_ACCESS_KEY_ID"] == "key-1"


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-60)])
def test_credentials_that_expire_are_not_used_again(tmp_path: Path, lifetime: timedelta) -> None:
    first, second = seen_with_credentials(tmp_path, lifetime)
    assert first["AWS_ACCESS_KEY_ID"] != second["AWS_ACCESS_KEY_ID"]


def test_threads_that_start_a_container_together_start_it_once(tmp_path: Path) -> None:
    # Two requests that find a container not running both start it.
    project = write_project(tmp_path, "Raw")

    def work(client: Any) -> None:
        port = free_port()
        container = create(client, project, "Raw", port)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.containers.get(container.id).start(), range(4)))
        assert post(port) == {}
        container.remove(force=True)

    with_engine(tmp_path, work)


def test_an_inspection_shows_what_the_container_was_made_with(tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")

    def work(client: Any) -> None:
        container = client.containers.create(
            BASE,
            environment={"AWS_LAMBDA_FUNCTION_HANDLER": "functions.raw", "DECLARED": "yes"},
            volumes={str(project / "code"): {"bind": "/var/task", "mode": "ro"}},
            ports={8080: ("127.0.0.1", 5001)},
            extra_hosts={"shop.test": "127.0.0.1"},
            mem_limit="128m",
        )
        seen = client.containers.get(container.id).attrs
        assert "DECLARED=yes" in seen["Config"]["Env"]
        host = seen["HostConfig"]
        assert host["PortBindings"]["8080/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "5001"}]
        assert (host["Memory"], host["ExtraHosts"]) == (128 * 1024 * 1024, ["shop.test:127.0.0.1"])
        assert host["Binds"] == [f"{project}/code:/var/task:ro"]

    with_engine(tmp_path, work)


def test_an_event_is_json_whatever_its_sender_calls_it(tmp_path: Path) -> None:
    project = write_project(tmp_path, "Echo")

    def work(client: Any) -> None:
        port = free_port()
        create(client, project, "Echo", port).start()
        assert json.loads(post(port)["body"])["event"] == {}, "urllib calls it a form"

    with_engine(tmp_path, work)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")

    def work(client: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            container = create(client, project, "Raw", port)
            with pytest.raises(docker.errors.APIError, match=f"Bind for 127.0.0.1:{port} failed"):
                container.start()
        container.start()
        assert post(port) == {}

    with_engine(tmp_path, work)


def test_a_container_that_is_removed_under_an_invocation_answers_it(tmp_path: Path) -> None:
    project = write_project(tmp_path, "Never")

    def work(client: Any) -> None:
        port = free_port()
        container = create(client, project, "Never", port)
        container.start()
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(post, port)
            wait_until((project / "records" / "never").exists, "the invocation to begin")
            container.remove(force=True)
            assert under_way.result(10)["errorType"] == "Runtime.ExitError"
        with pytest.raises(docker.errors.NotFound):
            client.containers.get(container.id)

    with_engine(tmp_path, work)
