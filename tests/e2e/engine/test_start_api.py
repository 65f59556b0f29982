"""The unmodified `sam local start-api --warm-containers EAGER --no-watch` on the engine."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.engine.conftest import Api
from tests.e2e.engine.sam import FUNCTIONS, has_own_file_system, task_root, wait_until

STALL_SECONDS = 0.9
"""SAM waits a second for a REPORT line that it missed."""


def test_the_code_is_imported_before_the_first_request(api: Api) -> None:
    # One environment of each function, and a second one behind it; the broken one imports nothing of functions.py.
    inits = (api.project / "records" / "inits").read_text().splitlines()
    assert len(inits) >= len(FUNCTIONS) - 1
    assert api.client.get("/echo").status_code == 200


def test_two_requests_of_a_second_run_side_by_side(api: Api) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = (each.json() for each in pool.map(api.client.get, ["/second", "/second"]))
    assert first["pid"] != second["pid"]
    assert max(first["began"], second["began"]) < min(first["ended"], second["ended"])


@pytest.mark.parametrize("clients", [1, 2, 8, 32])
def test_no_request_stalls_on_a_missed_report(api: Api, clients: int) -> None:
    def request(_: int) -> tuple[int, float]:
        began = time.monotonic()
        status = api.client.get("/echo").status_code
        return status, time.monotonic() - began

    for _ in range(3):  # a machine that is busy with other things may be late; what misses reports is late again
        with ThreadPoolExecutor(clients) as pool:
            answers = list(pool.map(request, range(30 + 2 * clients)))
        assert {status for status, _ in answers} == {200}
        typical = sorted(seconds for _, seconds in answers)[len(answers) // 2]
        stalled = [seconds for _, seconds in answers if seconds > STALL_SECONDS + 3 * typical]
        if not stalled:
            break
    assert stalled == []


@pytest.mark.parametrize("path", ["/fail", "/never", "/leave", "/grow", "/broken"])
def test_whatever_ends_an_invocation_is_a_5xx_and_the_next_one_is_served_afresh(api: Api, path: str) -> None:
    for _ in range(2):
        answer = api.client.get(path)
        assert answer.status_code >= 500
        assert answer.json() == {"message": "Internal server error"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/fail", "[ERROR] ValueError: out of tea"),
        ("/never", "Task timed out after 1.00 seconds"),
        ("/leave", "Error: Runtime exited with error: exit status 3"),
        ("/grow", "Error: Runtime exited with error: signal: killed"),
        ("/grow", "Error Type: Runtime.OutOfMemory"),
        ("/broken", "[ERROR] Runtime.ImportModuleError: Unable to import module 'broken'"),
    ],
)
def test_the_log_says_why(api: Api, path: str, words: str) -> None:
    api.client.get(path)
    wait_until(lambda: words in api.log, words)


def test_every_request_has_an_id_and_a_time_of_its_own(api: Api) -> None:
    contexts = [api.client.get("/echo").json()["event"]["requestContext"] for _ in range(3)]
    assert len({context["requestId"] for context in contexts}) == 3
    now = time.time() * 1000
    assert all(now - 60_000 < context["timeEpoch"] <= now for context in contexts)


def test_header_names_are_lower_case(api: Api) -> None:
    headers = api.client.get("/echo", headers={"X-Mixed-Case": "Kept"}).json()["event"]["headers"]
    assert headers["x-mixed-case"] == "Kept"
    assert all(name == name.lower() for name in headers)
    assert re.fullmatch(r"Root=1-\w{8}-\w{24};Parent=\w{16};Sampled=0", headers["x-amzn-trace-id"])


def test_what_a_function_writes_is_in_the_log_line_by_line(api: Api) -> None:
    api.client.get("/talk")
    wait_until(lambda: "last word" in api.log, "last word")
    lines = api.log.splitlines()
    assert {"one", "two", "no newline\N{REPLACEMENT CHARACTER} broken bytes", "last word"} <= set(lines)
    assert "".join(line for line in lines if set(line) == {"é"}) == "é" * 20_000


def test_a_function_lives_in_lambdas_environment_and_not_in_the_developers(api: Api) -> None:
    seen = api.client.get("/environment").json()
    variables = seen["variables"]
    assert variables["DECLARED"] == "yes"
    assert (
        not {"SECRET_OF_THE_SHELL", "DOCKER_HOST", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_ENDPOINT_URL"} & variables.keys()
    )
    assert seen["cwd"] == variables["LAMBDA_TASK_ROOT"] == seen["path"][0] == task_root(api.project)
    assert not [entry for entry in seen["path"] if "site-packages" in entry or "emulator" in entry]
    assert seen["temp"].startswith("/tmp" if has_own_file_system() else str(api.bench.temp))
    assert seen["session"]
    assert 0 < seen["remaining"] <= 10_000
    assert not (api.project / "code" / "__pycache__").exists()


def test_six_megabytes_are_the_limit_of_a_response(api: Api) -> None:
    assert len(api.client.get("/large", params={"size": 6_000_000}).content) == 6_000_000
    assert api.client.get("/large", params={"size": 6_300_000}).status_code == 500
    wait_until(lambda: "exceeded maximum allowed payload size (6291556 bytes)" in api.log, "the limit in the log")
    assert api.client.get("/large", params={"size": 10}).status_code == 200


def test_six_megabytes_are_the_limit_of_a_request(api: Api) -> None:
    assert api.client.post("/echo", content=b"x" * 100_000).status_code == 200
    answer = api.client.post("/echo", content=b"x" * 6_300_000)
    assert answer.status_code == 413
    assert "6291456 bytes" in answer.json()["message"]


def test_an_answer_that_is_no_text_is_502_and_the_next_request_is_answered(api: Api) -> None:
    # API Gateway takes an object; raw bytes are an answer that it cannot use.
    refused = api.client.get("/picture")
    assert (refused.status_code, refused.json()) == (502, {"message": "Internal server error"})
    assert api.client.get("/echo").status_code == 200


def test_a_changed_source_is_served_without_a_restart(api: Api) -> None:
    source = api.project / "code" / "functions.py"
    before = source.read_text()
    assert api.client.get("/echo").json()["version"] == "one"
    try:
        source.write_text(before.replace('version="one"', 'version="two"'))
        wait_until(lambda: api.client.get("/echo").json().get("version") == "two", "the new version")
    finally:
        source.write_text(before)
    wait_until(lambda: api.client.get("/echo").json().get("version") == "one", "the old version")


def test_a_request_under_way_when_the_source_changes_ends_as_it_began(api: Api) -> None:
    source = api.project / "code" / "functions.py"
    assert api.client.get("/second").status_code == 200
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(api.client.get, "/second")
        time.sleep(0.2)
        source.write_text(source.read_text() + "\n# changed\n")
        assert under_way.result(30).status_code == 200
    assert api.client.get("/second").status_code == 200


def test_a_function_that_was_broken_is_served_when_it_is_mended(api: Api) -> None:
    source = api.project / "code" / "broken.py"
    before = source.read_text()
    try:
        source.write_text("def handler(event, context):\n    return {'statusCode': 204}\n")
        wait_until(lambda: api.client.get("/broken").status_code == 204, "the mended function")
    finally:
        source.write_text(before)
    wait_until(lambda: api.client.get("/broken").status_code == 500, "the broken function")


def test_reports_follow_their_own_requests(api: Api) -> None:
    request_id = api.client.get("/echo").json()["id"]
    wait_until(lambda: f"REPORT RequestId: {request_id}" in api.log, "the report")
    lines = [line for line in api.log.splitlines() if request_id in line]
    assert [line.split()[0] for line in lines] == ["START", "END", "REPORT"]
    assert json.loads(api.client.get("/echo").text)["id"] != request_id


# What `sam` does otherwise than API Gateway (docs/fidelity.md): a version of it that does better fails here.


def test_sam_answers_an_unknown_route_with_403(api: Api) -> None:
    answer = api.client.get("/none")
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


def test_sam_hands_a_form_on_as_text(api: Api) -> None:
    event = api.client.post("/echo", data={"a": "1"}).json()["event"]
    assert (event["body"], event["isBase64Encoded"]) == ("a=1", False)


def test_an_event_of_sam_has_empty_members_that_api_gateway_leaves_out(api: Api) -> None:
    event = api.client.get("/echo").json()["event"]
    assert (event["body"], event["cookies"]) == ("", [])
