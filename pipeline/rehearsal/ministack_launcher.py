"""MiniStack as the emulator starts it, with four faults of its CloudFormation put right.

Run by MiniStack's interpreter.

1. A type that it does not know gets a placeholder, so that the rest of a stack can be rehearsed: nothing is made, and
   `Ref` gives a name that begins with PLACEHOLDER. The first argument names the types: a JSON object, each with the
   attributes that the template asks for.
2. SAM's transform knows the values of the parameters, as in AWS: it decides by them whether there is a gradual
   deployment.
3. `Ref` of an AWS::SecretsManager::Secret is the secret's ARN (AWS CloudFormation Template Reference, "Return values");
   MiniStack's is its name. A policy whose resource is that `Ref` would then allow nothing, and every function that
   reads the secret would be refused.
4. A secret can be imported by its ARN, as in AWS (AWS CloudFormation User Guide, "Resource type support"); MiniStack
   imports tables, buckets and keys, and no secrets.
"""

from __future__ import annotations

import contextvars
import importlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

EMULATOR_LAUNCHER = Path(__file__).resolve().parents[2] / "emulator" / "aws" / "ministack_launcher.py"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a type)


PLACEHOLDER = "placeholder-"


def add_placeholders(attributes_of: dict[str, list[str]]) -> None:
    """Register a handler that makes nothing for each type of `attributes_of` that CloudFormation does not know."""
    handlers: Any = importlib.import_module("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS  # noqa: SLF001
    for type_name, attributes in attributes_of.items():
        if type_name not in handlers:
            handlers[type_name] = _placeholder(attributes)


def _placeholder(attributes: list[str]) -> dict[str, Any]:
    def create(logical_id: str, _properties: Any, stack_name: str) -> tuple[str, dict[str, str]]:
        name = f"{PLACEHOLDER}{stack_name}-{logical_id}"
        return name, {attribute: f"{name}.{attribute}" for attribute in attributes}

    def update(name: str, _old: Any, _new: Any, _stack_name: str) -> tuple[str, dict[str, str]]:
        return name, {attribute: f"{name}.{attribute}" for attribute in attributes}

    return {"create": create, "update": update, "delete": lambda *_given, **_named: None}


_parameters: contextvars.ContextVar[dict[str, str]] = contextvars.ContextVar("parameters")


def tell_sam_the_parameters() -> None:
    """Give SAM's transform the values that the operation has."""
    engine: Any = importlib.import_module("ministack.services.cloudformation.engine")
    sam: Any = importlib.import_module("samtranslator.translator.transform")
    apply, transform = engine._apply_transforms, sam.transform  # noqa: SLF001

    def apply_with_values(template: Any, provided: Any = None, previous: Any = None) -> Any:
        token = _parameters.set(engine._transform_parameters(template, provided, previous))  # noqa: SLF001
        try:
            return apply(template, provided, previous)
        finally:
            _parameters.reset(token)

    sam.transform = lambda template, _values, loader: transform(template, _parameters.get(), loader)
    for name in ("engine", "changesets", "handlers"):
        module: Any = importlib.import_module(f"ministack.services.cloudformation.{name}")
        module._apply_transforms = apply_with_values  # noqa: SLF001


def refer_to_secrets_by_arn() -> None:
    """Make a secret's physical id its ARN. A secret cannot be made when that is so without us."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    secrets: Any = importlib.import_module("ministack.services.secretsmanager")
    handler = provisioners._RESOURCE_HANDLERS[SECRET]  # noqa: SLF001 (no public way)
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def name_of(arn: str) -> str:
        known = secrets._secrets  # noqa: SLF001
        return next((name for name, secret in known.items() if secret["ARN"] == arn), arn)

    def by_arn(answer: tuple[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
        physical_id, attributes = answer
        if physical_id.startswith("arn:"):
            raise ValueError(f"MiniStack refers to secrets by ARN now: take this out of {__file__}.")
        return attributes["Id"], attributes

    handler["create"] = lambda *given, **named: by_arn(create(*given, **named))
    handler["update"] = lambda arn, *given, **named: by_arn(update(name_of(arn), *given, **named))
    handler["delete"] = lambda arn, *given, **named: delete(name_of(arn), *given, **named)


def import_secrets() -> None:
    """Let an import change set name a secret. Raises ValueError when that is so without us."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    changesets: Any = importlib.import_module("ministack.services.cloudformation.changesets")
    secrets: Any = importlib.import_module("ministack.services.secretsmanager")
    handler = provisioners._RESOURCE_HANDLERS[SECRET]  # noqa: SLF001 (no public way)
    if "import" in handler:
        raise ValueError(f"MiniStack imports secrets now: take this out of {__file__}.")

    def problem(arn: str) -> str | None:
        if any(secret["ARN"] == arn for secret in secrets._secrets.values()):  # noqa: SLF001
            return None
        return str(changesets._IMPORT_NOT_FOUND.format(type=SECRET, value=arn))  # noqa: SLF001

    handler["import"] = lambda identifier: (identifier["Id"], {"Id": identifier["Id"]})
    changesets._IMPORT_LOOKUPS[SECRET] = (("Id",), problem)  # noqa: SLF001


if __name__ == "__main__":
    add_placeholders(json.loads(sys.argv.pop(1)) if len(sys.argv) > 1 else {})
    tell_sam_the_parameters()
    refer_to_secrets_by_arn()
    import_secrets()
    runpy.run_path(str(EMULATOR_LAUNCHER), run_name="__main__")
