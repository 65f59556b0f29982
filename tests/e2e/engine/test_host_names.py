"""The hosts and name servers of `sam local … --add-host` and `--container-dns`, as a function finds them."""

import json
from pathlib import Path

import httpx
import pytest

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench, has_own_file_system, write_project

SOURCE = """
import json, socket
from pathlib import Path

def handler(event, context):
    servers = [line.split()[1] for line in Path("/etc/resolv.conf").read_text().splitlines()]
    seen = {"addresses": [socket.gethostbyname(name) for name in ("shop.test", "laptop.test")], "servers": servers}
    return {"statusCode": 200, "body": json.dumps(seen)}
"""
OPTIONS = (
    *("--add-host", "shop.test:10.1.2.3", "--add-host", "laptop.test:127.0.0.1"),
    *("--container-dns", "192.0.2.1", "--container-dns", "192.0.2.2"),
)
SEEN = {"addresses": ["10.1.2.3", "127.0.0.1"], "servers": ["192.0.2.1", "192.0.2.2"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose function Echo resolves names."""
    if not has_own_file_system():
        pytest.skip("no mount namespace can be had here: a function has this machine's hosts")
    project = write_project(tmp_path, "Echo")
    template = json.loads((project / "template.json").read_text())
    template["Resources"]["Echo"]["Properties"]["Handler"] = "names.handler"
    (project / "template.json").write_text(json.dumps(template))
    (project / "code" / "names.py").write_text(SOURCE)
    return project


def test_an_invocation_finds_them(shared_bench: Bench, project: Path) -> None:
    answer = shared_bench.invoke(project, "Echo", "{}", *OPTIONS)
    assert json.loads(json.loads(answer.stdout)["body"]) == SEEN, answer.stderr


@pytest.mark.parametrize("warmth", [(), ("--warm-containers", "EAGER", "--no-watch")])
def test_a_request_finds_them(shared_bench: Bench, project: Path, warmth: tuple[str, ...]) -> None:
    port = free_port()
    sam = shared_bench.start_api(project, port, *OPTIONS, *warmth)
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/echo", timeout=60)
        assert (answer.status_code, json.loads(answer.content)) == (200, SEEN)
    finally:
        sam.end()


def test_a_server_that_is_no_address_is_one_sentence(shared_bench: Bench, project: Path) -> None:
    answer = shared_bench.invoke(project, "Echo", "{}", "--container-dns", "dns.test")
    assert answer.returncode != 0
    assert "`dns.test` is no IP address." in answer.stderr
    assert "Traceback" not in answer.stderr
