"""A function with tenant isolation, under the unmodified `sam local start-lambda`."""

import json
from pathlib import Path

import httpx

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench, write_project

SOURCE = """
served = []

def handler(event, context):
    served.append(context.tenant_id)
    return {"served": served}
"""


def test_an_environment_serves_one_tenant_only(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")
    (project / "code" / "tenant.py").write_text(SOURCE)
    template = json.loads((project / "template.json").read_text())
    properties = template["Resources"]["Raw"]["Properties"]
    del properties["Events"]
    properties |= {"Handler": "tenant.handler", "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
    (project / "template.json").write_text(json.dumps(template))
    port = free_port()
    sam = bench.start_lambda(project, port, "--warm-containers", "EAGER", "--no-watch")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

            def served(tenant: str) -> list[str]:
                path = "/2015-03-31/functions/Raw/invocations"
                answer = client.post(path, content="{}", headers={"X-Amz-Tenant-Id": tenant})
                return list(answer.json()["served"])

            assert served("blue") == ["blue"]
            assert served("green") == ["green"]
            assert served("blue") == ["blue", "blue"]
    finally:
        sam.end()
