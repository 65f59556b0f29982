"""The functions of the template as SAM CLI describes them to its container engine.

The gateway and the events describe them alike: whoever does shares a function's environments with `sam local`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emulator.engine import EngineError
from emulator.engine.function import Function
from emulator.engine.images import Image
from emulator.processes.ports import LOOPBACK
from emulator.sam.build import code_folder
from sam_template import Template

_SAMS_ACCOUNT = "123456789012"


def as_sam_describes_it(
    template: Template,
    name: str,
    build: Path,
    variables: Mapping[str, str],
    find_image: Callable[[str], Image | None],
    merge: Callable[[Sequence[Path]], Path] | None = None,
) -> Function:
    """Return a function with the variables that SAM CLI gives its container (`samcli/local/lambdafn/env_vars.py`).

    Its code and layers are in `build`, or its code is in its image, which `find_image` finds by its name. One whose
    image cannot run says why. `merge` puts the layers over one another.
    """
    declared = template.functions[name]
    if declared.image:
        return _of_image(template, name, variables, find_image(declared.image))
    own = {**_of_sam(template, name, declared.handler), **variables}
    layers = _local_layers(template, name, build)
    return Function(
        declared.runtime,
        declared.handler,
        code_folder(build, name),
        own,
        LOOPBACK,
        0,
        layers=(merge(layers),) if layers and merge is not None else (),
        temp_mebibytes=declared.ephemeral_storage,
    )


def _local_layers(template: Template, name: str, build: Path) -> list[Path]:
    """Return the folders of the layers on this machine, in order: built, or their sources if `sam build` makes none."""
    folders = (code_folder(build, layer) for layer, source in template.layers(name) if source is not None)
    return [folder for folder in folders if folder.is_dir()]


def _of_image(template: Template, name: str, variables: Mapping[str, str], image: Image | None) -> Function:
    declared = template.functions[name]
    config: Mapping[str, Any] = template.evaluated(name).get("ImageConfig") or {}
    refusal = f"Its image {declared.image} is not here: build it with `make build`, or push it and use ENGINE=docker."
    if image is not None:
        command = config.get("Command") or image.command
        own = {**_of_sam(template, name, str(command[0]) if command else ""), **variables}
        try:
            function = Function.of_image(
                image,
                own,
                entrypoint=config.get("EntryPoint") or (),
                command=config.get("Command") or (),
                folder=str(config.get("WorkingDirectory") or ""),
            )
            return replace(function, temp_mebibytes=declared.ephemeral_storage)
        except EngineError as error:
            refusal = str(error)
    own = {**_of_sam(template, name, ""), **variables}
    return Function("", "", Path(), own, LOOPBACK, 0, refusal=refusal)


def _of_sam(template: Template, name: str, handler: str) -> dict[str, str]:
    """Return SAM CLI's own variables."""
    declared = template.functions[name]
    logging: Mapping[str, Any] = template.evaluated(name).get("LoggingConfig") or {}
    own = {
        "AWS_SAM_LOCAL": "true",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(declared.memory_size),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(declared.timeout),
        "AWS_LAMBDA_FUNCTION_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": str(logging.get("LogGroup") or f"aws/lambda/{name}"),
        "AWS_LAMBDA_LOG_STREAM_NAME": "$LATEST",
        "AWS_REGION": template.region,
        "AWS_DEFAULT_REGION": template.region,
        "AWS_ACCOUNT_ID": _SAMS_ACCOUNT,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    }
    if log_format := logging.get("LogFormat"):
        own["AWS_LAMBDA_LOG_FORMAT"] = str(log_format)
        if log_format == "JSON":
            own["AWS_LAMBDA_LOG_LEVEL"] = str(logging.get("ApplicationLogLevel", "INFO"))
    return own
