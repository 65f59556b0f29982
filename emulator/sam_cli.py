"""The unmodified `sam`, and the variables that point it and the AWS tools at a running emulator."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from emulator.credentials import Endpoint
from emulator.errors import EmulatorError
from emulator.paths import INSTALLED, RunningEmulator, StatePaths
from sam_template.repository import REGION, SAMCONFIG
from tools.interpreters import host_architecture

TOOLS = Path(sys.executable).parent
"""The folder of `sam`, `uv` and `pytest`: the virtual environment that this process runs in."""


def account_variables(endpoint: Endpoint) -> Mapping[str, str]:
    """Return the variables by which every AWS SDK uses the account at `endpoint`, as its root, and no other."""
    return {
        **endpoint.root.environment(),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint.url,
    }


def tool_environment(running: RunningEmulator) -> Mapping[str, str]:
    """Return what `sam`, `aws` and boto3 need in their environment to use the emulator and nothing else.

    Credentials come as variables because `sam` builds a session on every request otherwise; a reachable STS endpoint
    saves it nine seconds of retries at its start.
    """
    variables = {
        **account_variables(running.endpoint),
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(INSTALLED / "sam"),  # otherwise ~/.aws-sam, and a home may be read-only
        "PACKAGE_FOR": "local" if running.engine else "container",
    }
    if running.engine:
        variables["DOCKER_HOST"] = running.engine
    return variables


FOREIGN_VARIABLES = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE")
"""What would make the tools use another account, or start slowly."""


def process_environment(running: RunningEmulator) -> dict[str, str]:
    """Return the environment of a child process that uses the emulator."""
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    path = os.pathsep.join((str(TOOLS), inherited.get("PATH", os.defpath)))
    return inherited | dict(tool_environment(running)) | {"PATH": path}


def shell_exports(running: RunningEmulator, functions: Mapping[str, Mapping[str, str]], function: str = "") -> str:
    """Return the same as shell commands, for `eval "$(make env)"`, and variables of the `functions`.

    These are the variables that `function` has; with them its application runs under any web server. Without a
    `function`, what differs between functions is left out. Raises EmulatorError when there is no such function.
    """
    if function and function not in functions:
        raise EmulatorError(f"FUNCTION={function} is unknown: choose {' or '.join(functions)}, or leave FUNCTION away.")
    chosen = [functions[function]] if function else functions.values()
    pairs = [pair for variables in chosen for pair in variables.items()]
    shared = {name: value for name, value in pairs if all(value == other for given, other in pairs if given == name)}
    lines = [f"unset {' '.join(FOREIGN_VARIABLES)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in {**shared, **tool_environment(running)}.items()]
    lines.append(f"export PATH='{TOOLS}':\"$PATH\"")
    return "\n".join(lines)


def start_api_command(paths: StatePaths, running: RunningEmulator, port: int) -> list[str | Path]:
    """Return the command line of `sam local start-api`; `samconfig.toml` says the rest."""
    return [*_sam_local(paths, running, "start-api"), "--port", str(port)]


def start_lambda_command(paths: StatePaths, running: RunningEmulator, port: int) -> list[str | Path]:
    """Return the command line of `sam local start-lambda`; `samconfig.toml` says the rest."""
    return [*_sam_local(paths, running, "start-lambda"), "--port", str(port)]


def invoke_command(paths: StatePaths, running: RunningEmulator, function: str, event: Path) -> list[str | Path]:
    """Return the command line of `sam local invoke`; `samconfig.toml` says the rest."""
    return [*_sam_local(paths, running, "invoke"), function, "--event", event]


def _sam_local(paths: StatePaths, running: RunningEmulator, verb: str) -> list[str | Path]:
    command: list[str | Path] = [TOOLS / "sam", "local", verb, "--env-vars", paths.sam_environment]
    command += ["--template-file", paths.build / "template.yaml", "--config-file", SAMCONFIG]
    if running.engine is None:
        command += ["--parameter-overrides", f"LambdaArchitecture={host_architecture()}"]
    return command
