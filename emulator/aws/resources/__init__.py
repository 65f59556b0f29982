"""The resource types, one file each. `emulator/aws/resource_type.py` says how to write one."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module

from emulator.aws.resource_type import ResourceType


@cache
def find(type_name: str) -> ResourceType | None:
    """Return the resource type that CloudFormation calls `type_name`, or None when it has no file here."""
    module = f"{__name__}.{file_name(type_name)}"
    try:
        found: ResourceType = import_module(module).RESOURCE
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return None
    return found


def every() -> list[ResourceType]:
    """Return every resource type that has a file here."""
    return [import_module(f"{__name__}.{module.name}").RESOURCE for module in pkgutil.iter_modules(__path__)]


def file_name(type_name: str) -> str:
    """Return the name of a type's file without its ending: "sqs_queue_policy" for "AWS::SQS::QueuePolicy"."""
    *_, service, kind = type_name.split("::")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind)
    return f"{service}_{words}".lower()
