"""Changed copies of what was built: the checkout and its build stay as they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.rehearsal.errors import RehearsalError
from sam_template.translation import TemplateError, parse

HEADER: Final = "x-rehearsal"
"""The header that changed code adds to its answers."""
FUNCTION: Final = "InventoryFunction"
TAKEN_PERMISSION: Final = "dynamodb:DeleteItem"
IMPOSSIBLE: Final = "RoleThatIamRefuses"

_CODE: Final = """

_as_built = {handler}


def {handler}(event, context):
    answer = _as_built(event, context)
    answer.setdefault("headers", {{}})["{header}"] = "{value}"
    return answer
"""


class ChangedBuild:
    """A copy of a build in `folder`, which must not exist; files that are not changed are shared with the build."""

    def __init__(self, build: Path, folder: Path) -> None:
        shutil.copytree(build, folder, copy_function=_link)
        self.template = folder / "template.yaml"
        try:
            self._document = parse(self.template, self.template.read_text(encoding="utf-8"))
        except (OSError, TemplateError) as error:
            raise RehearsalError(f"The built template cannot be read: {error}") from error

    @property
    def _resources(self) -> dict[str, Any]:
        resources: dict[str, Any] = self._document["Resources"]
        return resources

    def change_code(self, value: str) -> None:
        """Make every answer of the function carry `value` in HEADER."""
        properties: Mapping[str, Any] = self._resources[FUNCTION]["Properties"]
        module, _, handler = str(properties["Handler"]).rpartition(".")
        source = self.template.parent / str(properties["CodeUri"]) / f"{module.replace('.', '/')}.py"
        changed = source.read_text(encoding="utf-8") + _CODE.format(handler=handler, header=HEADER, value=value)
        source.unlink()  # not in place: it is the build's own file
        source.write_text(changed, encoding="utf-8")
        # Unchecked bytecode would be run in its place.
        for stale in source.parent.glob(f"__pycache__/{source.stem}.*.pyc"):
            stale.unlink()

    def take_permission(self) -> None:
        """Take TAKEN_PERMISSION out of the function's policies. Raises RehearsalError when they do not have it."""
        for policy in self._resources[FUNCTION]["Properties"]["Policies"]:
            for statement in policy["Statement"]:
                if TAKEN_PERMISSION in statement["Action"]:
                    statement["Action"].remove(TAKEN_PERMISSION)
                    return
        raise RehearsalError(f"{FUNCTION} has no {TAKEN_PERMISSION} to take: choose another in {Path(__file__).name}.")

    def add_impossible_resource(self) -> None:
        """Add, after every new version, a role that no linter objects to and that IAM refuses: its trust has no end.

        Source: AWS Identity and Access Management User Guide, "NotPrincipal": not in a role's trust policy.
        """
        aliases = [
            f"{name}Alias{resource['Properties']['AutoPublishAlias']}"
            for name, resource in self._resources.items()
            if "AutoPublishAlias" in resource.get("Properties", {})
        ]
        statement = {"Effect": "Allow", "NotPrincipal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        self._resources[IMPOSSIBLE] = {
            "Type": "AWS::IAM::Role",
            "DependsOn": aliases,
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
        }

    def write(self) -> Path:
        """Write the changed template and return its path."""
        self.template.unlink()
        self.template.write_text(json.dumps(self._document, indent=1), encoding="utf-8")  # JSON is YAML
        return self.template


def _link(source: str, target: str) -> str:
    """Share a file with its copy where both are on one file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
