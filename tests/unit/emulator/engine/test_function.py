from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.function import Function
from emulator.engine.places import places_of_this_machine
from emulator.engine.process_environment import process_environment

INTERPRETER = Path("/opt/python/bin/python3.13")


def body(**changes: Any) -> dict[str, Any]:
    """The body of a create call as docker-py sends it for SAM CLI."""
    return {
        "Image": "public.ecr.aws/lambda/python:3.13-rapid-x86_64",
        "Cmd": [],
        "Entrypoint": ["/var/rapid/aws-lambda-rie", "--log-level", "error"],
        "Env": [
            "AWS_LAMBDA_FUNCTION_NAME=Hello",
            "AWS_LAMBDA_FUNCTION_HANDLER=app.handler",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
            "AWS_LAMBDA_FUNCTION_TIMEOUT=7",
            "AWS_LAMBDA_MAX_CONCURRENCY=4",
            "AWS_REGION=eu-west-1",
            "AWS_ACCOUNT_ID=123456789012",
            "AWS_ACCESS_KEY_ID=sams",
            "AWS_SESSION_TOKEN=sams",
            "EQUALS=a=b",
        ],
        "HostConfig": {
            "Binds": ["/home/me/my shop/.build:/var/task:ro,delegated"],
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "6001"}]},
            "Memory": 256 * 1024 * 1024,
        },
        **changes,
    }


def test_a_function_is_read_from_what_sam_creates() -> None:
    function = Function.from_create_body("python3.13", body())
    assert function.name == "Hello"
    assert function.handler == "app.handler"
    assert function.task_root == Path("/home/me/my shop/.build")
    assert (function.memory_mb, function.timeout_seconds, function.concurrency) == (256, 7, 4)
    assert (function.host, function.port) == ("127.0.0.1", 6001)
    assert function.arn == "arn:aws:lambda:eu-west-1:123456789012:function:Hello"
    assert function.variables["EQUALS"] == "a=b"
    assert function.memory_is_limited
    assert not function.is_debugged


def test_a_function_that_declares_no_concurrency_has_the_accounts() -> None:
    declared = [each for each in body()["Env"] if "CONCURRENCY" not in each]
    assert Function.from_create_body("python3.13", body(Env=declared)).concurrency == 1000


def test_debug_arguments_become_options_of_the_interpreter() -> None:
    entrypoint = ["/var/rapid/aws-lambda-rie", "--log-level", "error", "/var/lang/bin/python3.13"]
    entrypoint += ["-m", "debugpy", "--listen", "0.0.0.0:5890", "/var/task/x", "/var/runtime/bootstrap.py"]
    function = Function.from_create_body("python3.13", body(Entrypoint=entrypoint))
    assert function.is_debugged
    assert function.concurrency == 1
    assert function.interpreter_options == ("-m", "debugpy", "--listen", "0.0.0.0:5890", "/var/task/x")


def test_hosts_and_name_servers_of_the_command_line_are_the_functions() -> None:
    asked = {"ExtraHosts": ["shop.test:10.0.0.1", "six.test:::1", "me.test:host-gateway"], "Dns": ["9.9.9.9"]}
    function = Function.from_create_body("python3.13", body(HostConfig={**body()["HostConfig"], **asked}))
    assert function.hosts == ("10.0.0.1 shop.test", "::1 six.test", "127.0.0.1 me.test")
    assert function.nameservers == ("9.9.9.9",)


@pytest.mark.parametrize(
    "asked", [{"ExtraHosts": ["shop.test:\n6.6.6.6 bank.test"]}, {"ExtraHosts": ["a b:1.1.1.1"]}, {"Dns": ["dns.test"]}]
)
def test_hosts_and_name_servers_that_are_none_are_refused(asked: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"is no (host|IP address)"):
        Function.from_create_body("python3.13", body(HostConfig={**body()["HostConfig"], **asked}))


def test_what_else_a_container_binds_is_kept_but_not_what_is_below_the_code() -> None:
    binds = ["/home/me/code:/var/task:ro", "/home/me/linked:/var/task/linked:ro", "/home/me/debugger:/tmp/debug:ro"]
    function = Function.from_create_body("python3.13", body(HostConfig={**body()["HostConfig"], "Binds": binds}))
    assert function.binds == (("/tmp/debug", "/home/me/debugger"),)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"HostConfig": {}}, "/var/task"),
        ({"HostConfig": {"Binds": ["/a:/var/task:ro"]}}, "8080/tcp"),
        ({"Env": []}, "handler"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Function.from_create_body("python3.13", body(**changes))


def process_variables(
    account: dict[str, str] | None = None, layers: tuple[Path, ...] = (), **changes: Any
) -> dict[str, str]:
    function = replace(Function.from_create_body("python3.13", body(**changes)), layers=layers)
    return process_environment(
        function,
        places=places_of_this_machine(function, INTERPRETER, Path("/state/runtime"), Path("/tmp/here")),
        runtime_api="127.0.0.1:9001",
        account=account or {},
    )


def test_a_process_has_lambdas_variables_and_none_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SHELL_SECRET", "leak")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    variables = process_variables()
    assert not {"MY_SHELL_SECRET", "PYTHONDONTWRITEBYTECODE"} & variables.keys()
    assert variables["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert variables["_HANDLER"] == "app.handler"
    assert variables["LAMBDA_TASK_ROOT"] == "/home/me/my shop/.build"
    assert variables["PYTHONPATH"] == "/state/runtime"
    assert variables["TZ"] == ":UTC"
    assert variables["HOME"] == variables["TMPDIR"] == "/tmp/here"
    assert variables["AWS_ACCESS_KEY_ID"] == "sams"


def test_the_runtime_does_not_see_the_limit_that_sam_needs() -> None:
    # awslambdaric 4 would serve several requests in one process.
    assert "AWS_LAMBDA_MAX_CONCURRENCY" not in process_variables()


def test_the_roles_credentials_replace_those_that_sam_passed() -> None:
    variables = process_variables({"AWS_ACCESS_KEY_ID": "role", "AWS_SECRET_ACCESS_KEY": "s"})
    assert variables["AWS_ACCESS_KEY_ID"] == "role"
    assert "AWS_SESSION_TOKEN" not in variables


ACCOUNT = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_REGION": "us-east-1"}


def declaring(endpoint: str) -> list[str]:
    return [*body()["Env"], f"AWS_ENDPOINT_URL={endpoint}"]


def test_the_account_needs_no_variable_of_the_template() -> None:
    variables = process_variables(ACCOUNT)
    assert variables["AWS_ENDPOINT_URL"] == ACCOUNT["AWS_ENDPOINT_URL"]
    assert variables["AWS_REGION"] == "us-east-1", "SAM CLI passes the region of the developer's shell"


def test_an_endpoint_of_the_template_is_kept_when_it_is_one() -> None:
    variables = process_variables(ACCOUNT, Env=declaring("http://mine:1"))
    assert variables["AWS_ENDPOINT_URL"] == "http://mine:1"
    assert variables["AWS_REGION"] == "us-east-1"
    assert process_variables(ACCOUNT, Env=declaring(""))["AWS_ENDPOINT_URL"] == ACCOUNT["AWS_ENDPOINT_URL"]


def test_the_last_layer_is_searched_first_and_site_packages_before_all(tmp_path: Path) -> None:
    layers = first, last = tmp_path / "first", tmp_path / "last"
    packages = first / "python" / "lib" / "python3.13" / "site-packages"
    for folder in (packages, last / "python"):
        folder.mkdir(parents=True)
    variables = process_variables(layers=layers)
    assert variables["PYTHONPATH"] == f"{packages}:{last}/python:{first}/python:/state/runtime"
    assert variables["PATH"].endswith(f":/bin:{last}/bin:{first}/bin")
    assert variables["LD_LIBRARY_PATH"].endswith(f"/lib:{last}/lib:{first}/lib")


def test_a_search_path_of_the_template_finds_the_layers() -> None:
    declared = [*body()["Env"], "PYTHONPATH=/var/task/lib:/opt/own"]
    variables = process_variables(layers=(Path("/first"), Path("/last")), Env=declared)
    assert variables["PYTHONPATH"] == "/home/me/my shop/.build/lib:/last/own:/first/own"


def test_every_environment_has_a_log_stream_of_its_own() -> None:
    streams = {process_variables()["AWS_LAMBDA_LOG_STREAM_NAME"] for _ in range(2)}
    assert len(streams) == 2
    assert all("/[$LATEST]" in stream for stream in streams)


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    variables = process_variables()
    assert variables["HTTPS_PROXY"] == "http://proxy:3128"
    assert "127.0.0.1" in variables["NO_PROXY"].split(",")
