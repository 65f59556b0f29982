"""What a container was created to run: read from the body of Docker's create call."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from emulator.engine.errors import EngineError
from emulator.engine.image_build.image_root import ImageRoot
from emulator.engine.image_build.pip_command import site_packages
from emulator.engine.images import Image
from emulator.engine.mount_namespace.file_system import TASK_ROOT

CONCURRENCY_VARIABLE = "AWS_LAMBDA_MAX_CONCURRENCY"
"""By it SAM CLI knows how many requests it may send to one container (`Container.create`)."""
_BOOTSTRAP = "/var/runtime/bootstrap.py"
_RIE = "/var/rapid/aws-lambda-rie"
_LAMBDA_ENTRYPOINT = "/lambda-entrypoint.sh"
_PYTHON = re.compile(r"(?:/\S+/)?python(?:3(?:\.\d+)?)?")
_INVOKE_PORT = "8080/tcp"
_LONGEST_TIMEOUT = 15 * 60
DEFAULT_TEMP_MEBIBYTES = 512
"""The size of /tmp where the template declares none (the same page)."""
_HOST_GATEWAY = "host-gateway"
"""What Docker's clients call the address of the host, which here is the same machine."""
_LOOPBACK = "127.0.0.1"
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?")
_ACCOUNT_CONCURRENCY = 1000
"""What an account has where nothing is reserved (AWS Lambda Developer Guide, "Lambda quotas")."""


@dataclass(frozen=True)
class Function:
    """A function as SAM CLI describes it to its container engine.

    `variables` are those of the template and SAM's own. `interpreter_options` are the debugger's, when there is one.
    `memory_is_limited` is false under `sam local … --no-memory-limit`. `layers` are the folders that Lambda puts over
    one another at /opt: of two that hold the same file the later wins. `refusal` says why the engine cannot run the
    function, "" when it can. `binds` are folders of this machine by their places in the container, the code's left out.
    `temp_mebibytes` is the size of its /tmp. `hosts` are lines for its /etc/hosts, `nameservers` addresses.
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
    packages: Path | None = None
    image_root: Path | None = None
    refusal: str = ""
    binds: tuple[tuple[str, str], ...] = ()
    temp_mebibytes: int = DEFAULT_TEMP_MEBIBYTES
    hosts: tuple[str, ...] = ()
    nameservers: tuple[str, ...] = ()

    @classmethod
    def from_create_body(cls, runtime: str, body: Mapping[str, Any], image: Image | None = None) -> Function:
        """Read the body of `POST /containers/create` (Docker Engine API v1.35, "Create a container").

        The code is where the body binds it, else in the `image`. Raises `ValueError` with a sentence for a body without
        what SAM CLI puts into it, `EngineError` for an image that does not start the runtime.
        """
        host_config = body.get("HostConfig") or {}
        binds = dict(_bind(entry) for entry in host_config.get("Binds") or [])
        return replace(
            cls._from_create_body(runtime, body, image),
            binds=tuple((at, folder) for at, folder in binds.items() if not f"{at}/".startswith(f"{TASK_ROOT}/")),
            hosts=tuple(map(_host, host_config.get("ExtraHosts") or ())),
            nameservers=tuple(map(_address, host_config.get("Dns") or ())),
        )

    @classmethod
    def _from_create_body(cls, runtime: str, body: Mapping[str, Any], image: Image | None) -> Function:
        variables = dict(_pair(entry) for entry in body.get("Env") or [])
        host_config = body.get("HostConfig") or {}
        binds = dict(_bind(entry) for entry in host_config.get("Binds") or [])
        has_code = image is not None and image.root is not None
        if TASK_ROOT not in binds and not has_code:
            raise ValueError(f"The container has no bind to {TASK_ROOT}: only SAM CLI's functions can run here.")
        host, port = _published_port(host_config.get("PortBindings") or {})
        options = _interpreter_options(body.get("Entrypoint") or [])
        limited = bool(host_config.get("Memory"))
        if TASK_ROOT not in binds and image is not None:
            entrypoint = _without_rie(body.get("Entrypoint") or [])
            return cls.of_image(
                image,
                variables,
                entrypoint=[] if options else entrypoint,
                command=body.get("Cmd") or [],
                folder=str(body.get("WorkingDir") or ""),
                listens=(host, port),
                interpreter_options=options,
                memory_is_limited=limited,
            )
        handler = (body.get("Cmd") or [None])[0] or variables.get("AWS_LAMBDA_FUNCTION_HANDLER")
        if not handler:
            raise ValueError("The container names no handler: neither Cmd nor AWS_LAMBDA_FUNCTION_HANDLER is set.")
        layers = image.opt if image is not None else ()
        code = Path(binds[TASK_ROOT])
        if image is None or image.root is None:
            return cls(runtime, handler, code, variables, host, port, options, limited, layers)
        packages = ImageRoot(image.root).place(site_packages(runtime))
        variables = {**dict(image.environment), **variables}
        return cls(runtime, handler, code, variables, host, port, options, limited, layers, packages, image.root)

    @classmethod
    def of_image(
        cls,
        image: Image,
        variables: Mapping[str, str],
        *,
        entrypoint: Sequence[str] = (),
        command: Sequence[str] = (),
        folder: str = "",
        listens: tuple[str, int] = ("127.0.0.1", 0),
        interpreter_options: tuple[str, ...] = (),
        memory_is_limited: bool = True,
    ) -> Function:
        """Return the function of an image that was built from a Dockerfile.

        `entrypoint`, `command` and `folder` replace those of the image, as `ImageConfig` of the template does. Raises
        `EngineError` when neither the base's entry point nor the runtime interface client is what the image starts.
        """
        if image.root is None:
            raise EngineError(f"{image.name} has no code: build it from a Dockerfile.")
        root = ImageRoot(image.root)
        folder = folder or image.working_directory
        started = [*(entrypoint or image.entrypoint), *(command or image.command)]
        if started[:1] == [_LAMBDA_ENTRYPOINT]:
            arguments, code = started[1:], TASK_ROOT
        elif _PYTHON.fullmatch(started[0] if started else "") and started[1:3] == ["-m", "awslambdaric"]:
            arguments, code = started[3:], folder
        else:
            raise EngineError(
                f"{image.name} starts {' '.join(started) or 'nothing'}; the engine runs images that start "
                f"{_LAMBDA_ENTRYPOINT} or `python -m awslambdaric`, others need ENGINE=docker."
            )
        handler = arguments[0] if arguments else variables.get("AWS_LAMBDA_FUNCTION_HANDLER", "")
        if not handler:
            raise EngineError(
                f"{image.name} names no handler: end its Dockerfile with CMD, or set ImageConfig.Command."
            )
        return cls(
            image.runtime,
            handler,
            root.place(code),
            {**dict(image.environment), **variables},
            *listens,
            interpreter_options,
            memory_is_limited,
            image.opt,
            root.place(site_packages(image.runtime)),
            image.root,
        )

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
        limits = self.interpreter_options, self.memory_is_limited, self.temp_mebibytes
        places = self.layers, self.packages, self.binds, self.hosts, self.nameservers
        return self.runtime, self.handler, root, variables, *limits, *places

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folders of images and layers that the function needs as long as it runs."""
        return (*self.layers, *([self.image_root] if self.image_root else []))

    @property
    def name(self) -> str:
        """Return the function's logical id."""
        return self.variables.get("AWS_LAMBDA_FUNCTION_NAME", "function")

    @cached_property
    def memory_mb(self) -> int:
        """Return the memory that the function may use."""
        return _number(self.variables.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 128)

    @cached_property
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


def _host(entry: str) -> str:
    """Read `name:address` (`sam local … --add-host`); return a line of /etc/hosts."""
    name, _, address = entry.partition(":")
    if not _HOST_NAME.fullmatch(name):
        raise ValueError(f"`{entry}` is no host: write NAME:ADDRESS.")
    return f"{_address(address)} {name}"


def _address(text: str) -> str:
    if text == _HOST_GATEWAY:
        return _LOOPBACK
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise ValueError(f"`{text}` is no IP address.") from None


def _interpreter_options(entrypoint: list[str]) -> tuple[str, ...]:
    """Return what stands between the interpreter and the bootstrap: `sam local … --debug-args`."""
    if not entrypoint or entrypoint[0] != _RIE or _BOOTSTRAP not in entrypoint:
        return ()
    start = next((i for i, part in enumerate(entrypoint) if part.startswith("/var/lang/bin/python")), None)
    if start is None:
        return ()
    return tuple(part for part in entrypoint[start + 1 : entrypoint.index(_BOOTSTRAP)] if part)


def _without_rie(entrypoint: Sequence[str]) -> list[str]:
    """Return the entry point of the image, which SAM CLI gives to its runtime interface emulator as arguments."""
    if entrypoint[:1] != [_RIE]:
        return list(entrypoint)
    return list(entrypoint[3:] if entrypoint[1:2] == ["--log-level"] else entrypoint[1:])


def _number(text: str | None, default: int) -> int:
    try:
        return max(1, int(float(text or default)))
    except ValueError:
        return default
