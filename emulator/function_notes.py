"""What is less about functions on this machine than in AWS: sentences for the screen and for `status`."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from emulator.engine.function import CONCURRENCY_VARIABLE
from emulator.interpreters import SUPPORTED_VERSIONS, Interpreter
from sam_template import Template


def on_engine(template: Template, created: Container[str], build_command: str = "") -> list[str]:
    """Return a sentence for each limit of functions on the engine; `created` has the resources that are there.

    `build_command` is what builds the project; without one a start does, when something has changed.
    """
    next_start = f"start after `{build_command}`" if build_command else "start"
    functions = template.functions
    foreign = [name for name, each in functions.items() if not each.image and not each.runtime.startswith("python")]
    behind_apis = {route.function: None for route in template.routes}
    single = [name for name in behind_apis if CONCURRENCY_VARIABLE not in functions[name].environment]
    durable = [name for name in functions if "DurableConfig" in template.resources[name].get("Properties", {})]
    sentences = {
        "Not run: {}. Only Python functions and Python images run here; the others need ENGINE=docker.": foreign,
        "With the emulator's root credentials: {}. Their roles are not in the template.": without_role(
            template, created
        ),
        "Without those of their layers that are not folders of this machine, except under `sam local`: {}.": (
            without_layers(template)
        ),
        "Not durable, except under `sam local` with AWS's emulator of durable executions: {}.": durable,
        "One request at a time under `sam local`: {}. SAM CLI sends more where the template declares the variable "
        f"{CONCURRENCY_VARIABLE}.": single,
        f"Run as they were built: {{}}. The next {next_start} takes what changes in the sources of an image.": [
            name for name in functions if template.docker_context(name)
        ],
    }
    return [sentence.format(", ".join(names)) for sentence, names in sentences.items() if names]


def in_containers(template: Template, environment: Callable[[str], Mapping[str, str]]) -> list[str]:
    """Return a sentence that names the functions whose containers are told no endpoint, if there are any.

    SAM CLI passes a container only the variables that the template declares; `environment` returns those of a function.
    """
    unaware = [name for name in template.functions if not environment(name).get("AWS_ENDPOINT_URL")]
    sentence = (
        f"Calls the real AWS: {', '.join(unaware)}. A container has no endpoint but the template's: declare "
        "AWS_ENDPOINT_URL, or leave ENGINE away."
    )
    return [sentence] if unaware else []


def substituted(template: Template, find: Callable[[str], Interpreter]) -> list[str]:
    """Return a sentence for each declared runtime that is not on this machine: who runs on which other one.

    `find` returns the interpreter for a runtime.
    """
    names: dict[str, list[str]] = {}
    for name, function in template.functions.items():
        if not function.image and function.runtime.startswith("python"):
            names.setdefault(function.runtime, []).append(name)
    return [
        f"{declared} cannot run on this machine: {', '.join(affected)} run on {found.runtime}."
        + (f" Install it, for example with `uv python install {version}`." if version in SUPPORTED_VERSIONS else "")
        for declared, affected in names.items()
        if not (found := find(declared)).exact and (version := declared.removeprefix("python"))
    ]


def without_layers(template: Template) -> list[str]:
    """Return the functions with a layer that is not a folder of this machine: here they run without it."""
    names = (name for name, function in template.functions.items() if not function.image)
    return [name for name in names if any(not (folder and folder.is_dir()) for _, folder in template.layers(name))]


def without_role(template: Template, created: Container[str]) -> list[str]:
    """Return the functions whose role is not among the resources that were `created`: they run as the root."""
    return [name for name, function in template.functions.items() if function.role not in created]
