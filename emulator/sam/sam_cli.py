"""The unmodified `sam`, and the variables that point it and the AWS tools at a running emulator."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from emulator.credentials import Endpoint
from emulator.errors import EmulatorError
from emulator.interpreters import host_architecture
from emulator.project.declaration import ARCHITECTURE
from emulator.project.paths import RunningEmulator, StatePaths
from emulator.project.project import Project
from emulator.sam import build
from sam_template import parameter_overrides

TOOLS = Path(sys.executable).parent
"""The folder of `sam`, `uv` and `pytest`: the virtual environment that this process runs in."""


def account_variables(endpoint: Endpoint, region: str) -> Mapping[str, str]:
    """Return the variables by which every AWS SDK uses the account at `endpoint`, as its root, and no other."""
    return {
        **endpoint.root.environment(),
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": endpoint.url,
    }


def tool_environment(running: RunningEmulator) -> Mapping[str, str]:
    """Return what `sam`, `aws` and boto3 need in their environment to use the emulator and nothing else.

    Credentials come as variables because `sam` builds a session on every request otherwise; a reachable STS endpoint
    saves it nine seconds of retries at its start.
    """
    variables = {
        **account_variables(running.endpoint, running.region),
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": running.sam_home,  # otherwise ~/.aws-sam, and a home may be read-only
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
    """Return the same as shell commands, for `eval "$(sam-emulator env)"`, and variables of the `functions`.

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


def start_api_command(
    project: Project, paths: StatePaths, running: RunningEmulator, port: int, variables: Path | None = None
) -> list[str | Path]:
    """Return the command line of `sam local start-api`; samconfig says the rest.

    `variables` is where it reads the functions' variables when not from the file that all others read.
    """
    kept = _unless_configured(project, "local_start_api", no_watch=None, warm_containers="EAGER")
    return _sam_local(project, paths, running, "start-api", "--port", str(port), *kept, variables=variables)


def start_lambda_command(project: Project, paths: StatePaths, running: RunningEmulator, port: int) -> list[str | Path]:
    """Return the command line of `sam local start-lambda`; samconfig says the rest."""
    kept = _unless_configured(project, "local_start_lambda", no_watch=None, warm_containers="LAZY")
    return _sam_local(project, paths, running, "start-lambda", "--port", str(port), *kept)


def invoke_command(
    project: Project, paths: StatePaths, running: RunningEmulator, function: str, event: Path | None
) -> list[str | Path]:
    """Return the command line of `sam local invoke`, without an `event` with an empty one; samconfig says the rest."""
    given: list[str | Path] = ["--event", event] if event else ["--no-event"]
    return _sam_local(project, paths, running, "invoke", function, *given)


def _sam_local(
    project: Project,
    paths: StatePaths,
    running: RunningEmulator,
    verb: str,
    *arguments: str | Path,
    variables: Path | None = None,
) -> list[str | Path]:
    command: list[str | Path] = [TOOLS / "sam", "local", verb, *arguments]
    command += ["--env-vars", variables or paths.sam_environment]
    command += ["--template-file", build.folder(project, paths) / "template.yaml"]
    if project.samconfig.path:
        command += ["--config-file", project.samconfig.path]
    command += _unless_configured(project, f"local_{verb.replace('-', '_')}", skip_pull_image=None)
    parameters = dict(project.parameters)
    if running.engine is None:
        known = {ARCHITECTURE: host_architecture()}
        declared = project.declaration.container_parameters
        parameters |= {name: known.get(value, value) for name, value in declared.items()}
    # At the end: it takes every argument that follows it.
    return [*command, "--parameter-overrides", *parameter_overrides.arguments(parameters)] if parameters else command


def _unless_configured(project: Project, command: str, **options: str | None) -> list[str]:
    """Return `options` of a command of sam, those without the ones that samconfig sets.

    The engine watches the code and keeps environments, and it has no image to pull.
    """
    chosen: list[str] = []
    for name, value in options.items():
        if project.samconfig.setting(command, name) is None:
            chosen.append(f"--{name.replace('_', '-')}")
            chosen += [value] if value else []
    return chosen
