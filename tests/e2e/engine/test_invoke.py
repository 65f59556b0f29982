"""The unmodified `sam local invoke` on the engine."""

import json
import re
from pathlib import Path

import pytest

from emulator.processes.ports import free_port
from tests.e2e.engine.sam import Bench, task_root, write_project

REPORT = re.compile(
    r"REPORT RequestId: (\S+)\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
    r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms"
)


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    return shared_bench


def test_it_prints_the_answer_and_the_report(bench: Bench, tmp_path: Path) -> None:
    answer = bench.invoke(write_project(tmp_path, "Echo"), "Echo", '{"question": "tea?"}')
    body = json.loads(json.loads(answer.stdout)["body"])
    assert body["event"] == {"question": "tea?"}
    assert body["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:Echo"
    report = REPORT.search(answer.stderr)
    assert report, answer.stderr
    assert report[1] == body["id"]
    lines = answer.stderr.splitlines()
    start = lines.index(f"START RequestId: {body['id']} Version: $LATEST")
    assert lines.index("module imported") < start < lines.index(f"END RequestId: {body['id']}")


def test_an_event_of_the_developer_passes_through_verbatim(bench: Bench, tmp_path: Path) -> None:
    context = {"apiId": "1234567890", "accountId": "123456789012", "requestId": "mine", "timeEpoch": 1}
    event = {"version": "2.0", "headers": {"X-Case": "Kept"}, "requestContext": context}
    answer = bench.invoke(write_project(tmp_path, "Raw"), "Raw", json.dumps(event))
    assert json.loads(answer.stdout) == event


def test_an_exception_comes_out_in_lambdas_shape(bench: Bench, tmp_path: Path) -> None:
    answer = bench.invoke(write_project(tmp_path, "Fail"), "Fail")
    error = json.loads(answer.stdout)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "out of tea")
    assert error["requestId"] in answer.stderr
    assert "[ERROR] ValueError: out of tea" in answer.stderr


def test_an_import_error_is_reported_once_with_its_type(bench: Bench, tmp_path: Path) -> None:
    answer = bench.invoke(write_project(tmp_path, "Broken"), "Broken")
    assert json.loads(answer.stdout)["errorType"] == "Runtime.ImportModuleError"
    assert "a_module_that_is_not_there" in answer.stdout
    assert answer.stderr.count("[ERROR] Runtime.ImportModuleError") == 1
    assert "INIT_REPORT Init Duration:" in answer.stderr


def test_a_timeout_comes_out_in_lambdas_shape(bench: Bench, tmp_path: Path) -> None:
    answer = bench.invoke(write_project(tmp_path, "Never"), "Never")
    error = json.loads(answer.stdout)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert re.search(r"^\d{4}-\d\d-\d\dT[\d:.]+Z \S+ Task timed out after 1.00 seconds$", answer.stderr, re.MULTILINE)


def test_a_request_over_six_megabytes_is_refused(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")
    answer = bench.invoke(project, "Raw", json.dumps({"text": "x" * (6 * 1024 * 1024)}))
    assert "Request must be smaller than 6291456 bytes" in json.loads(answer.stdout)["message"]
    assert "START" not in answer.stderr


def test_an_image_function_names_the_way_out(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Echo")
    template = json.loads((project / "template.json").read_text())
    function = {"PackageType": "Image", "ImageUri": "shop/inventory:latest"}
    template["Resources"]["Echo"]["Properties"] = function
    (project / "template.json").write_text(json.dumps(template))
    answer = bench.invoke(project, "Echo")
    assert answer.returncode != 0
    assert "ENGINE=docker" in answer.stderr


def test_bytes_that_are_no_text_come_out_as_they_are(bench: Bench, tmp_path: Path) -> None:
    answer = bench.invoke(write_project(tmp_path, "Picture"), "Picture")
    assert answer.stdout.encode(errors="surrogateescape") == b"\xff\xd8\xff\xe0 a picture"
    assert answer.returncode == 0


def test_an_interpreter_that_stands_in_for_another_is_named_on_the_screen(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")
    template = (project / "template.json").read_text().replace("python3.13", "python3.10")
    (project / "template.json").write_text(template)
    answer = bench.invoke(project, "Raw", '{"a": 1}')
    assert answer.stdout == '{"a": 1}'
    assert "python3.10 cannot run on this machine: the function runs on python3.1" in answer.stderr


def test_the_network_of_containers_can_be_named(bench: Bench, tmp_path: Path) -> None:
    project = write_project(tmp_path, "Raw")
    assert bench.invoke(project, "Raw", '{"a": 1}', "--docker-network", "bridge").stdout == '{"a": 1}'
    another = bench.invoke(project, "Raw", "{}", "--docker-network", "of-my-own")
    assert another.returncode != 0
    assert "of-my-own" in another.stderr


def test_debug_arguments_reach_the_interpreter(bench: Bench, tmp_path: Path) -> None:
    options = ["--debug-port", str(free_port()), "--debug-args", "-X importtime"]
    answer = bench.invoke(write_project(tmp_path, "Environment"), "Environment", "{}", *options)
    assert "import time:" in answer.stderr
    body = json.loads(json.loads(answer.stdout)["body"])
    assert body["path"][0] == task_root(tmp_path)
    assert not [entry for entry in body["path"] if entry.endswith("emulator/engine")]
