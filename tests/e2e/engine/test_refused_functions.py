"""Functions that the engine cannot run beside others, under the unmodified `sam local start-api`; and its builds."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench, wait_until, write_project

REFUSED: dict[str, dict[str, Any]] = {
    "Node": {"Handler": "index.handler", "Runtime": "nodejs22.x", "CodeUri": "code/"},
    "Image": {"PackageType": "Image", "ImageUri": "shop/inventory:latest"},
}


@pytest.mark.parametrize("warmth", [(), ("--warm-containers", "EAGER")])
def test_one_that_cannot_run_does_not_stop_the_others(bench: Bench, tmp_path: Path, warmth: tuple[str, ...]) -> None:
    project = write_project(tmp_path, "Echo")
    template = json.loads((project / "template.json").read_text())
    for name, properties in REFUSED.items():
        route = {"Type": "HttpApi", "Properties": {"Path": f"/{name.lower()}", "Method": "GET"}}
        properties = {**properties, "Events": {"Get": route}}
        template["Resources"][name] = {"Type": "AWS::Serverless::Function", "Properties": properties}
    (project / "template.json").write_text(json.dumps(template))
    port = free_port()
    sam = bench.start_api(project, port, *warmth)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            assert client.get("/echo").status_code == 200
            for name in REFUSED:
                assert client.get(f"/{name.lower()}").status_code >= 500
                bench.engine.wait_for(f"{name} will not run. The engine runs Python functions")
            wait_until(lambda: "ENGINE=docker" in sam.text, "the sentence in sam's log")
            assert client.get("/echo").status_code == 200
    finally:
        sam.end()


def test_a_build_in_a_container_ends_with_one_sentence(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")
    (project / "code" / "requirements.txt").touch()
    built = bench.build(project, "--use-container")
    assert built.returncode != 0
    (error,) = (line for line in built.stderr.splitlines() if line.startswith("Error: "))
    assert "leave --use-container away" in error
    assert "Traceback" not in built.stderr
