"""The Docker calls, by docker-py as SAM CLI uses it, and the engine's own socket."""

import asyncio
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import docker
import pytest

from emulator.engine import Engine, EngineError

BASE = "public.ecr.aws/lambda/python:3.13-x86_64"
T = TypeVar("T")


def with_engine(folder: Path, work: Callable[[Any], T]) -> T:
    """Run `work(client)` in a thread beside an engine."""

    async def scenario() -> T:
        engine = Engine(folder / "run" / "engine.sock", installed=folder)
        await engine.start()
        try:
            return await asyncio.to_thread(connected, work)
        finally:
            await engine.stop()

    def connected(work: Callable[[Any], T]) -> T:
        client = docker.DockerClient(base_url=f"unix://{folder}/run/engine.sock")
        try:
            return work(client)
        finally:
            client.close()

    return asyncio.run(scenario())


def test_the_client_finds_the_base_image_and_thinks_it_is_current(tmp_path: Path) -> None:
    def work(client: Any) -> None:
        assert client.ping()
        image = client.images.get(BASE)
        assert image.attrs["RepoDigests"][0].endswith(
            client.images.get_registry_data(BASE).attrs["Descriptor"]["digest"]
        )
        assert client.images.list() == []
        assert list(client.api.pull("public.ecr.aws/lambda/python", tag="3.13-x86_64", stream=True, decode=True))

    with_engine(tmp_path, work)


def test_nothing_is_imported_for_a_client_that_does_not_come(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from emulator.engine import Engine\n"
        "async def main(folder):\n"
        "    engine = Engine(folder / 'run' / 'engine.sock', installed=folder)\n"
        "    await engine.start()\n"
        "    before = 'aiohttp' in sys.modules\n"
        "    reader, writer = await asyncio.open_unix_connection(str(folder / 'run' / 'engine.sock'))\n"
        "    writer.write(b'GET /_ping HTTP/1.1\\r\\nHost: engine\\r\\n\\r\\n')\n"
        "    print(before, await reader.readline(), 'aiohttp' in sys.modules)\n"
        "    writer.close()\n"
        "    await engine.stop()\n"
        "asyncio.run(main(Path(sys.argv[1])))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "False b'HTTP/1.1 200 OK\\r\\n' True\n", done.stderr


def test_an_absent_image_is_refused_with_the_way_out(tmp_path: Path) -> None:
    def work(client: Any) -> None:
        with pytest.raises(docker.errors.ImageNotFound):
            client.images.get("inventoryfunction:rapid-x86_64")
        with pytest.raises(docker.errors.ImageNotFound, match="ENGINE=docker"):
            client.containers.create("inventoryfunction:latest")

    with_engine(tmp_path, work)


def test_an_image_is_built_with_a_line_for_each_step_and_found_by_its_id(tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Own").write_text(f"FROM {BASE}\nARG A\nENV B=$A\nCMD app.handler")

    def work(client: Any) -> None:
        folder = str(tmp_path / "context")
        image, lines = client.images.build(path=folder, dockerfile="Own", tag="shop:v1", buildargs={"A": "1"})
        said = [line["stream"] for line in lines]
        assert said[0] == f"Step 1/4 : FROM {BASE}\n"
        assert said[-1] == "Successfully tagged shop:v1\n"
        assert image.id == client.images.get("shop:v1").id
        config = image.attrs["Config"]
        assert (config["Cmd"], config["Env"]) == (["/bin/sh", "-c", "app.handler"], ["B=1"])
        client.images.remove("shop:v1")
        with pytest.raises(docker.errors.ImageNotFound):
            client.images.get("shop:v1")

    with_engine(tmp_path, work)


def test_what_cannot_be_built_is_the_error_that_ends_the_lines(tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text(f"FROM {BASE}\nUSER app")

    def work(client: Any) -> None:
        *said, last = client.api.build(path=str(tmp_path / "context"), tag="shop:v1", decode=True)
        assert ["stream" in line for line in said] == [True, True]
        assert "USER in line 2" in last["error"]
        with (tmp_path / "tar").open("rb") as tar:
            (answer,) = client.api.build(fileobj=tar, custom_context=True, tag="x:y", decode=True)
        assert answer["error"] == "The build context of x:y is no tar file (empty file)."

    (tmp_path / "tar").write_bytes(b"")
    with_engine(tmp_path, work)


def test_an_absent_container_is_dockers_404(tmp_path: Path) -> None:
    def work(client: Any) -> None:
        with pytest.raises(docker.errors.NotFound, match="No such container: abc"):
            client.containers.get("abc")
        assert client.containers.list(all=True) == []

    with_engine(tmp_path, work)


def test_a_call_that_is_not_served_is_named(tmp_path: Path) -> None:
    def work(client: Any) -> None:
        with pytest.raises(docker.errors.APIError, match=r"does not serve GET /volumes/x") as raised:
            client.volumes.get("x")
        assert raised.value.response.status_code == 501

    with_engine(tmp_path, work)


def test_a_container_without_sams_parts_is_refused_with_a_sentence(tmp_path: Path) -> None:
    def work(client: Any) -> None:
        with pytest.raises(docker.errors.APIError, match="only SAM CLI's functions"):
            client.containers.create(BASE, command=["app.handler"])

    with_engine(tmp_path, work)


def test_the_socket_is_private_and_goes_with_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "run" / "engine.sock"

    async def scenario() -> None:
        engine = Engine(path, installed=tmp_path)
        await engine.start()
        assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        await engine.stop()

    asyncio.run(scenario())
    assert not path.exists()


def test_a_second_engine_is_told_about_the_first(tmp_path: Path) -> None:
    path = tmp_path / "run" / "engine.sock"

    async def scenario() -> None:
        engine = Engine(path, installed=tmp_path)
        await engine.start()
        try:
            with pytest.raises(EngineError, match="Another engine answers"):
                await Engine(path, installed=tmp_path).start()
        finally:
            await engine.stop()

    asyncio.run(scenario())


def test_the_socket_of_a_dead_engine_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def scenario() -> None:
        engine = Engine(path, installed=tmp_path)
        await engine.start()
        await engine.stop()

    asyncio.run(scenario())


def test_a_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    path.write_text("mine")
    with pytest.raises(EngineError, match="not a socket"):
        asyncio.run(Engine(path, installed=tmp_path).start())
    assert path.read_text() == "mine"


def test_the_temp_dirs_of_killed_engines_go_though_another_process_has_their_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed = tmp_path / f"lambda-engine-{os.getpid()}-00000000-left"
    killed.mkdir()

    engine, another = (Engine(tmp_path / name, installed=tmp_path) for name in ("one.sock", "two.sock"))
    with asyncio.Runner() as runner:
        runner.run(engine.start())
        assert not killed.exists()
        runner.run(another.start())
        assert len(list(tmp_path.glob("lambda-engine-*"))) == 2
        runner.run(engine.stop())
        runner.run(another.stop())
