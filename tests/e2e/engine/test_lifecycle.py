"""Nothing outlives its owner: neither environments their `sam`, nor anything the engine."""

import signal
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from emulator.processes.ports import accepts, free_port
from tests.e2e.engine.sam import Bench, alive, wait_until, write_project


def client_and_port() -> tuple[httpx.Client, int]:
    port = free_port()
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60), port


def listening(pids: list[int]) -> list[int]:
    connections = [each for pid in pids for each in psutil.Process(pid).net_connections("tcp")]
    return [each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_sam_ends_its_environments(bench: Bench, tmp_path: Path, number: signal.Signals) -> None:
    project = write_project(tmp_path, "Echo", "Spawn")
    client, port = client_and_port()
    sam = bench.start_api(project, port, "--warm-containers", "EAGER")
    with client:
        assert client.get("/spawn").status_code == 200
        assert client.get("/echo").status_code == 200
    pids = [process.pid for process in bench.processes()]
    pids += [int(pid) for pid in (project / "records" / "children").read_text().split()]
    ports = listening([bench.engine.process.pid])
    assert pids
    assert ports
    sam.end(number)
    wait_until(lambda: not any(map(alive, pids)), "the environments to end", seconds=10)
    wait_until(lambda: not any(map(accepts, ports)), "the ports to close", seconds=10)
    wait_until(lambda: not list(bench.temp.glob("lambda-engine-*/*")), "the temp dirs to go", seconds=10)
    assert bench.engine.process.poll() is None
    assert bench.invoke(project, "Echo").returncode == 0


def test_the_end_of_sam_while_it_waits_for_an_invocation_ends_it(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Second")
    (project / "event.json").write_text("{}")
    port = free_port()
    sam = bench.start_api(project, port)  # cold: a container for every request
    killer = threading.Timer(0.7, sam.process.kill)
    killer.start()
    with httpx.Client(timeout=30) as client, pytest.raises(httpx.TransportError):
        client.get(f"http://127.0.0.1:{port}/second")
    killer.join()
    sam.process.wait(10)
    wait_until(lambda: bench.processes() == [], "the environment to end", seconds=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_engine_ends_its_environments(bench: Bench, tmp_path: Path, number: signal.Signals) -> None:
    project = write_project(tmp_path, "Echo")
    client, port = client_and_port()
    sam = bench.start_api(project, port, "--warm-containers", "EAGER")
    with client:
        assert client.get("/echo").status_code == 200
    assert bench.processes()
    pids = [process.pid for process in psutil.Process(bench.engine.process.pid).children(recursive=True)]
    bench.engine.end(number)
    wait_until(lambda: not any(map(alive, pids)), "the environments to end", seconds=10)
    sam.end(signal.SIGKILL)
    bench.start_engine()  # over the dead one's socket and temp dirs
    if number == signal.SIGKILL:
        assert len(list(bench.temp.glob("lambda-engine-*"))) == 1
    assert bench.invoke(project, "Echo").returncode == 0


def test_a_second_engine_on_the_socket_says_what_to_do(bench: Bench) -> None:
    first = bench.engine
    with pytest.raises(AssertionError, match=r"Another engine answers on .*make down"):
        bench.start_engine()
    bench.engine = first


def test_sams_own_watcher_makes_the_container_anew(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Echo")
    client, port = client_and_port()
    sam = bench.start_api(project, port, "--warm-containers", "LAZY")
    with client:
        assert client.get("/echo").json()["version"] == "one"
        changed = tmp_path / "changed.py"
        source = project / "code" / "functions.py"
        changed.write_text(source.read_text().replace('version="one"', 'version="two"'))
        changed.replace(source)
        sam.wait_for("Lambda Function 'Echo' source code has been changed")
        wait_until(lambda: bench.processes() == [], "the old container to go")
        assert client.get("/echo").json()["version"] == "two"
    sam.end()


def test_nothing_is_left_of_an_invocation(bench: Bench, tmp_path: Path) -> None:
    bench.invoke(write_project(tmp_path, "Echo"), "Echo")
    assert bench.processes() == []
    assert [path for each in bench.temp.glob("lambda-engine-*") for path in each.iterdir()] == []
    bench.engine.end()
    assert list(bench.temp.glob("lambda-engine-*")) == []
    assert not bench.socket.exists()
