"""What a container was created to run: read from the body of Docker's create call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASK_ROOT = "/var/task"
CONCURRENCY_VARIABLE = "AWS_LAMBDA_MAX_CONCURRENCY"
"""By it SAM CLI knows how many requests it may send to one container (`Container.create`)."""
_BOOTSTRAP = "/var/runtime/bootstrap.py"
_RIE = "/var/rapid/aws-lambda-rie"
_INVOKE_PORT = "8080/tcp"
_LONGEST_TIMEOUT = 15 * 60
_ACCOUNT_CONCURRENCY = 1000
"""What an account has where nothing is reserved (AWS Lambda Developer Guide, "Lambda quotas")."""


@dataclass(frozen=True)
class Function:
    """A function as SAM CLI describes it to its container engine.

    `variables` are those of the template and SAM's own. `interpreter_options` are the debugger's, when there is one.
    `memory_is_limited` is false under `sam local … --no-memory-limit`. `layers` are the folders that Lambda puts over
    one another at /opt: of two that hold the same file the later wins. `refusal` says why the engine cannot run the
    function, "" when it can.
    """

    runtime: str
    handler: str
    task_root: Path
    variables: Mapping[str, str]
    host: str
    port: int
    interpreter_options: tuple[str, ...] = ()
    memory_is_limited: bool = True
    layers: tuple[Path, ...] = ()
    refusal: str = ""

    @classmethod
    def from_create_body(cls, runtime: str, body: Mapping[str, Any], layers: tuple[Path, ...] = ()) -> Function:
        """Read the body of `POST /containers/create` (Docker Engine API v1.35, "Create a container").

        Raises `ValueError` with a sentence for a body without what SAM CLI puts into it.
        """
        variables = dict(_pair(entry) for entry in body.get("Env") or [])
        host_config = body.get("HostConfig") or {}
        binds = dict(_bind(entry) for entry in host_config.get("Binds") or [])
        if TASK_ROOT not in binds:
            raise ValueError(f"The container has no bind to {TASK_ROOT}: only SAM CLI's functions can run here.")
        handler = (body.get("Cmd") or [None])[0] or variables.get("AWS_LAMBDA_FUNCTION_HANDLER")
        if not handler:
            raise ValueError("The container names no handler: neither Cmd nor AWS_LAMBDA_FUNCTION_HANDLER is set.")
        host, port = _published_port(host_config.get("PortBindings") or {})
        options = _interpreter_options(body.get("Entrypoint") or [], binds)
        limited = bool(host_config.get("Memory"))
        return cls(runtime, handler, Path(binds[TASK_ROOT]), variables, host, port, options, limited, layers)

    @classmethod
    def refused(cls, body: Mapping[str, Any], refusal: str) -> Function:
        """Read of the same body what is needed to answer that the function cannot run. Raises `ValueError`."""
        variables = dict(_pair(entry) for entry in body.get("Env") or [])
        host, port = _published_port((body.get("HostConfig") or {}).get("PortBindings") or {})
        return cls("", "", Path(), variables, host, port, refusal=refusal)

    @property
    def identity(self) -> object:
        """Return what two descriptions of the same function have in common; where its container listens is not."""
        variables = frozenset(self.variables.items())
        root = os.path.realpath(self.task_root)
        limits = self.interpreter_options, self.memory_is_limited
        return self.runtime, self.handler, root, variables, *limits, self.layers

    @property
    def layer_search_path(self) -> list[str]:
        """Return the folders of the layers' Python packages, in the order in which Lambda's runtime searches them."""
        from_last = [layer / "python" for layer in reversed(self.layers)]
        packages = [python / "lib" / self.runtime / "site-packages" for python in from_last]
        return [str(folder) for folder in (*packages, *from_last) if folder.is_dir()]

    @property
    def name(self) -> str:
        """Return the function's logical id."""
        return self.variables.get("AWS_LAMBDA_FUNCTION_NAME", "function")

    @property
    def memory_mb(self) -> int:
        """Return the memory that the function may use."""
        return _number(self.variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 128)

    @property
    def timeout_seconds(self) -> int:
        """Return the seconds that an invocation may take."""
        return _number(self.variables.get("AWS_LAMBDA_FUNCTION_TIMEOUT"), 3)

    @property
    def concurrency(self) -> int:
        """Return how many invocations may run at once; a debugger sees one.

        SAM CLI sends one where the template declares no number; others who invoke the function need none.
        """
        return 1 if self.is_debugged else _number(self.variables.get(CONCURRENCY_VARIABLE), _ACCOUNT_CONCURRENCY)

    @property
    def is_debugged(self) -> bool:
        """Tell whether a debugger may hold the function for longer than any limit."""
        return bool(self.interpreter_options) or self.timeout_seconds > _LONGEST_TIMEOUT

    @property
    def arn(self) -> str:
        """Return the ARN that the function's context carries."""
        region = self.variables.get("AWS_REGION", "us-east-1")
        account = self.variables.get("AWS_ACCOUNT_ID", "123456789012")
        return f"arn:aws:lambda:{region}:{account}:function:{self.name}"


def _pair(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value


def _bind(entry: str) -> tuple[str, str]:
    """Read `/host/folder:/folder:ro,delegated`; return (folder in the container, folder on the host)."""
    host, _, rest = entry.partition(":/")
    return "/" + rest.split(":")[0], host


def _published_port(bindings: Mapping[str, Any]) -> tuple[str, int]:
    published = (bindings.get(_INVOKE_PORT) or [{}])[0] or {}
    if not published.get("HostPort"):
        raise ValueError(f"The container publishes no {_INVOKE_PORT}: SAM CLI invokes the function there.")
    return published.get("HostIp") or "127.0.0.1", int(published["HostPort"])


def _interpreter_options(entrypoint: list[str], binds: Mapping[str, str]) -> tuple[str, ...]:
    """Return what stands between the interpreter and the bootstrap: `sam local … --debug-args`."""
    if not entrypoint or entrypoint[0] != _RIE or _BOOTSTRAP not in entrypoint:
        return ()
    start = next((i for i, part in enumerate(entrypoint) if part.startswith("/var/lang/bin/python")), None)
    if start is None:
        return ()
    options = [part for part in entrypoint[start + 1 : entrypoint.index(_BOOTSTRAP)] if part]
    for inside, outside in binds.items():
        options = [part.replace(inside, outside) for part in options]
    return tuple(options)


def _number(text: str | None, default: int) -> int:
    try:
        return max(1, int(float(text or default)))
    except ValueError:
        return default
