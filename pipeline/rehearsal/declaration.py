"""What the template declares for the rehearsal: each resource with its properties, as text and as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resources import find
from pipeline.rehearsal.comparison import NOT_KNOWN
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.settings import Settings
from sam_template import Template, TemplateError
from sam_template.intrinsics import Scope

AT_RUN_TIME: Final = (
    *("AwsEndpointUrl", "RedisHost", "RedisPort", "RedisTls", "RedisCluster"),
    *("ElasticsearchUrl", "ElasticsearchIndex", "AnthropicBaseUrl"),
)
"""Parameters whose values are known only while a rehearsal runs; the table has their names instead."""
GRADUAL: Final = "GradualDeployment"
_GRADUAL_CONDITION: Final = "HasGradualDeployment"
HTTP_API: Final = "AWS::ApiGatewayV2::Api"
VERSION: Final = "AWS::Lambda::Version"
_DIGEST: Final = re.compile(r"(?<=[A-Za-z0-9])(?=[a-f]*[0-9])[0-9a-f]{10}$")


@dataclass(frozen=True)
class Resource:
    """A declared resource.

    `properties` have logical ids where another resource is meant, and the names of parameters that are known only at
    run time. `stays` tells whether it is kept when the stack is deleted.
    """

    logical_id: str
    type_name: str
    properties: Mapping[str, Any]
    stays: bool


@dataclass(frozen=True)
class SwitchedOff:
    """A resource that the rehearsal's parameters leave out, and why."""

    logical_id: str
    type_name: str
    reason: str


class Declaration:
    """The template with the parameters of `settings`.

    `resources` are those that a rehearsal makes, in the order of the translated template. Raises RehearsalError for a
    template that cannot be read.
    """

    def __init__(self, template: Path, settings: Settings) -> None:
        self._settings = settings
        try:
            self._template = Template.load(template, settings.parameters, region=settings.region)
            gradual = {GRADUAL: "true"} if GRADUAL in self._template.parameters else {}
            every = Template.load(template, {**settings.parameters, **gradual}, region=settings.region)
            self._everything = every.declared_resources
            placeholders = {name: f"<{name}>" for name in AT_RUN_TIME}
            symbols = self._template.scope(
                canonical,
                lambda name, attribute: f"{canonical(name)}.{attribute}",
                stack_name=settings.stack_name,
                overrides=placeholders,
            )
            self.resources = tuple(self._resource(logical_id, symbols) for logical_id in self._template.resources)
        except TemplateError as error:
            raise RehearsalError(str(error)) from error

    @property
    def runtime(self) -> str:
        """Return the runtime of the functions."""
        return next(iter(self._template.functions.values())).runtime

    @property
    def types(self) -> Mapping[str, list[str]]:
        """Return every type of the template, whatever the parameters, with the attributes that something asks for."""
        types: dict[str, list[str]] = {str(one["Type"]): [] for one in self._everything.values()}
        types |= {str(one["Type"]): [] for one in self._template.resources.values()}
        for logical_id, attribute in sorted(self._template.attributes_used):
            types[str(self._template.resources[logical_id]["Type"])].append(attribute)
        return types

    @property
    def switched_off(self) -> tuple[SwitchedOff, ...]:
        """Return the resources that other values of the parameters would make, and these do not."""
        made = {resource.logical_id for resource in self.resources}
        every = {canonical(name): resource for name, resource in self._everything.items()}
        return tuple(
            SwitchedOff(name, str(resource["Type"]), _reason(resource.get("Condition")))
            for name, resource in every.items()
            if name not in made
        )

    def values(
        self, logical_id: str, physical_ids: Mapping[str, str], at_run_time: Mapping[str, str], clients: Clients
    ) -> Mapping[str, Any]:
        """Return the properties of a resource with the `physical_ids` of the others and all parameters filled in.

        What `Fn::GetAtt` gives of a type that has no file in emulator/aws/resources/ is NOT_KNOWN.
        Raises RehearsalError for a reference to what is not there.
        """
        scope = self._template.scope(
            lambda name: physical_ids[canonical(name)],
            lambda name, attribute: self._attribute(name, attribute, physical_ids, clients),
            stack_name=self._settings.stack_name,
            overrides=at_run_time,
        )
        try:
            return self._properties(self._declared_id(logical_id), scope)
        except TemplateError as error:
            raise RehearsalError(str(error)) from error

    def _resource(self, declared_id: str, symbols: Scope) -> Resource:
        resource = self._template.resources[declared_id]
        kept = "DeletionPolicy" in resource and self._template.evaluated(declared_id, "DeletionPolicy", symbols)
        properties = self._properties(declared_id, symbols)
        return Resource(canonical(declared_id), str(resource["Type"]), properties, str(kept).startswith("Retain"))

    def _properties(self, declared_id: str, scope: Scope) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._template.evaluated(declared_id, scope=scope)
        resource_type = find(str(self._template.resources[declared_id]["Type"]))
        return properties if resource_type is None else resource_type.parts(properties)

    def _declared_id(self, logical_id: str) -> str:
        return next(name for name in self._template.resources if canonical(name) == logical_id)

    def _attribute(self, declared_id: str, attribute: str, physical_ids: Mapping[str, str], clients: Clients) -> str:
        resource_type = find(str(self._template.resources[declared_id]["Type"]))
        if resource_type is None or attribute not in resource_type.attributes:
            return NOT_KNOWN
        return resource_type.attribute(attribute, clients, physical_ids[canonical(declared_id)], {})


def canonical(logical_id: str) -> str:
    """Return a logical id without the digits that SAM makes of the code of a version or a layer.

    They differ from build to build, and are ten hexadecimal ones.
    """
    return _DIGEST.sub("", logical_id)


def _reason(condition: str | None) -> str:
    # SAM's CodeDeploy resources have no condition: SAM leaves them out.
    is_gradual = condition in (None, _GRADUAL_CONDITION)
    return f"{GRADUAL} is false" if is_gradual else f"{condition} does not hold"
