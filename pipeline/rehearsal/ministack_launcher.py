"""MiniStack as the emulator starts it, with one fault of its CloudFormation put right. Run by MiniStack's interpreter.

In AWS, `Ref` of an AWS::SecretsManager::Secret is the secret's ARN (AWS CloudFormation Template Reference, "Return
values"); MiniStack's is its name. A policy whose resource is that `Ref` would then allow nothing, and every function
that reads the secret would be refused.
"""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path
from typing import Any

EMULATOR_LAUNCHER = Path(__file__).resolve().parents[2] / "emulator" / "aws" / "ministack_launcher.py"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 (a type)


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


if __name__ == "__main__":
    refer_to_secrets_by_arn()
    runpy.run_path(str(EMULATOR_LAUNCHER), run_name="__main__")
