"""What becomes of each resource of a template in a local run: made and checked, made by MiniStack, or not emulated."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import Enum
from typing import Any, Final, NamedTuple

from emulator.aws import cloudformation
from emulator.aws.clients import Clients
from emulator.aws.resource_type import Created, NotEmulatedError, ResourceType
from emulator.aws.resources import find
from emulator.aws.schema import PropertyError, conform
from sam_template import Template, TemplateError
from sam_template.intrinsics import Scope

_GRANTS: Final = re.compile(r"AWS::IAM::\w+|AWS::\w+::\w*(Policy|Permission)")
"""Types that only allow something: a permission on what is not there does no harm."""
_CUSTOM: Final = re.compile(r"Custom::.+|AWS::CloudFormation::CustomResource")
_RUN_LATER: Final = "functions run once all resources are made, and then nobody asks for it"
_AT_ONCE: Final = 4
"""Resources that are made at the same time: while the endpoint makes one, the calls for others are prepared."""


class Standing(Enum):
    """The classes of resources: a type with a file here, any other that CloudFormation makes, and what is not there."""

    CHECKED = "checked"
    BY_MINISTACK = "made by MiniStack, properties not checked"
    ELSEWHERE = "emulated elsewhere"
    NOT_EMULATED = "not emulated"


class Outcome(NamedTuple):
    """What became of a resource. `remark` says what does its work (ELSEWHERE) or what does not work (NOT_EMULATED).

    `left_out` has a sentence for each declared thing that does not work although the resource is there. `is_expected`
    tells a type that has a file, and so a reason, from one that nobody thought of.
    """

    logical_id: str
    type_name: str
    standing: Standing
    remark: str = ""
    left_out: tuple[str, ...] = ()
    is_expected: bool = True


def services(template: Template) -> list[str]:
    """Return the services that the resources of `template` are made with, as botocore names them."""
    types = {str(resource["Type"]) for resource in template.resources.values()}
    made = {name: resource_type for name in types if (resource_type := find(name)) is None or resource_type.create}
    named = {"cloudformation" if made[name] is None else name.split("::")[1].lower() for name in made}
    return sorted(named | {"sts"})


class Provisioner:
    """Makes the resources of a template at one endpoint. Every error is a TemplateError of one sentence.

    `created` holds the return values of each resource that has some, `outcomes` what became of each, by logical id.
    `overrides` are parameters whose values are known only now.
    """

    def __init__(self, template: Template, clients: Clients, stack_name: str, overrides: Mapping[str, str]) -> None:
        self._template = template
        self._clients = clients
        self._stack_name = stack_name
        self._overrides = overrides
        self.created: dict[str, Created] = {}
        self.outcomes: dict[str, Outcome] = {}
        self._properties: dict[str, Mapping[str, Any]] = {}

    def create(self) -> None:
        """Create what the template declares, each resource after those it refers to. Raises TemplateError.

        Everything is checked before the first is created. What exists already is brought to what is declared; contents
        stay. Resources that do not wait for each other are made side by side, as CloudFormation does.
        """
        self._check()
        self.created, self.outcomes = {}, {}
        without_file = [self.type_of(name) for name in self._template.resources if self._resource_type(name) is None]
        unknown = cloudformation.unknown_types(self._clients, without_file) if without_file else frozenset()
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            try:
                self._create_all(threads, unknown)
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        order = self._template.creation_order
        self.outcomes = {logical_id: self.outcomes[logical_id] for logical_id in order}
        self.created = {logical_id: self.created[logical_id] for logical_id in order if logical_id in self.created}

    def _create_all(self, threads: ThreadPoolExecutor, unknown: frozenset[str]) -> None:
        waiting = graphlib.TopologicalSorter(self._template.dependencies)
        waiting.prepare()
        making: dict[Future[Outcome], str] = {}
        while waiting.is_active():
            making |= {threads.submit(self._outcome, name, unknown): name for name in waiting.get_ready()}
            made, _ = wait(making, return_when=FIRST_COMPLETED)
            for future in made:
                logical_id = making.pop(future)
                self.outcomes[logical_id] = future.result()
                waiting.done(logical_id)

    def _outcome(self, logical_id: str, unknown: frozenset[str]) -> Outcome:
        try:
            return self._create(logical_id, unknown)
        except NotEmulatedError as error:
            return self._not_emulated(logical_id, f"it {error}")

    def restore(self) -> None:
        """Bring back the contents that a reset of the endpoint leaves alone."""
        for logical_id, created in self.created.items():
            resource_type = self._resource_type(logical_id)
            if resource_type is not None and resource_type.restore is not None:
                resource_type.restore(self._clients, created.ref, self._properties[logical_id])

    def scope(self) -> Scope:
        """Return what intrinsics refer to once everything is created."""
        return self._scope(self._ref, self._get_att)

    def type_of(self, logical_id: str) -> str:
        """Return the type of a resource."""
        return str(self._template.resources[logical_id]["Type"])

    def _resource_type(self, logical_id: str) -> ResourceType | None:
        return find(self.type_of(logical_id))

    def _check(self) -> None:
        """Find every value and attribute that a resource type does not have, before anything is created."""
        for logical_id in self._template.creation_order:
            self._evaluated(logical_id, self._scope(lambda name: name, self._known_attribute), [])

    def _create(self, logical_id: str, unknown: frozenset[str]) -> Outcome:
        resource_type, type_name = self._resource_type(logical_id), self.type_of(logical_id)
        if _CUSTOM.fullmatch(type_name):
            return self._not_emulated(logical_id, _RUN_LATER)
        if type_name in unknown:
            return self._not_emulated(logical_id, "MiniStack does not know the type")
        if resource_type is None:
            return self._make_unchecked(logical_id)
        left_out: list[str] = []
        is_made = bool(resource_type.properties) and not _GRANTS.fullmatch(type_name)
        properties = self._evaluated(logical_id, self.scope() if is_made else self._lenient_scope(), left_out)
        self._properties[logical_id] = properties
        ref = self._make(logical_id, resource_type, properties)
        self.created[logical_id] = resource_type.created(self._clients, ref, properties)
        standing = Standing.CHECKED
        if resource_type.made_by:
            standing = Standing.ELSEWHERE
        elif resource_type.missing:
            standing = Standing.NOT_EMULATED
        sentences = [f"{path} is left out: it has no mapping in the emulator" for path in left_out]
        taken = [path for path in sorted(resource_type.unreported) if _declares(properties, path)]
        sentences += [f"{path} is taken, and MiniStack neither reports nor follows it" for path in taken]
        remark = resource_type.made_by or resource_type.missing
        return Outcome(logical_id, type_name, standing, remark, (*sentences, *resource_type.left_out(properties)))

    def _make(self, logical_id: str, resource_type: ResourceType, properties: Mapping[str, Any]) -> str:
        """Make a resource of a type that has a file; return what Ref gives."""
        from botocore.exceptions import BotoCoreError, ClientError

        if resource_type.create is None:
            return resource_type.usual_ref(self._stack_name, logical_id, properties, self._clients.region)
        name = resource_type.physical_name(self._stack_name, logical_id, properties)
        try:
            return resource_type.create(self._clients, name, properties)
        except PropertyError as error:
            raise self._property_error(logical_id, error) from error
        except (BotoCoreError, ClientError, KeyError) as error:
            if (elsewhere := self._elsewhere(properties)) and not _GRANTS.fullmatch(resource_type.type_name):
                raise NotEmulatedError(f"needs {elsewhere}, which {self._template.path.name} does not make") from error
            sentence = f"{logical_id} ({resource_type.type_name}) could not be created: {error!s}."
            raise self._template.error(logical_id, sentence) from error

    def _make_unchecked(self, logical_id: str) -> Outcome:
        type_name = self.type_of(logical_id)
        properties = self._evaluated(logical_id, self.scope(), [])
        attributes = {name for owner, name in self._template.attributes_used if owner == logical_id}
        try:
            self.created[logical_id] = cloudformation.make(
                self._clients, self._stack_name, logical_id, type_name, properties, attributes
            )
        except cloudformation.NotMadeError as error:
            return self._not_emulated(logical_id, f"MiniStack could not make it ({error})")
        left_out = cloudformation.left_out(type_name, properties)
        return Outcome(logical_id, type_name, Standing.BY_MINISTACK, left_out=left_out)

    def _not_emulated(self, logical_id: str, remark: str) -> Outcome:
        return Outcome(logical_id, self.type_of(logical_id), Standing.NOT_EMULATED, remark, is_expected=False)

    def _elsewhere(self, properties: Mapping[str, Any]) -> str:
        """Return the first ARN among `properties` that is no return value of what is created, "" without one."""
        created = list(self.created.values())  # other threads add to it
        own = {value for one in created for value in (one.ref, *one.attributes.values())}
        arns = (value for value in properties.values() if isinstance(value, str) and value.startswith("arn:"))
        return next((arn for arn in arns if arn not in own), "")

    def _evaluated(self, logical_id: str, scope: Scope, left_out: list[str]) -> Mapping[str, Any]:
        """Return the resource's properties, evaluated and, if it is made with boto3, of the declared kinds."""
        resource_type = self._resource_type(logical_id)
        try:
            properties: Mapping[str, Any] = self._template.evaluated(logical_id, scope=scope)
            if resource_type is None or not resource_type.properties:
                return properties
            return conform(properties, resource_type.properties, left_out)  # type: ignore[no-any-return]
        except PropertyError as error:
            raise self._property_error(logical_id, error) from error

    def _scope(self, ref: Any, get_att: Any) -> Scope:
        return self._template.scope(ref, get_att, stack_name=self._stack_name, overrides=self._overrides)

    def _lenient_scope(self) -> Scope:
        """Return a scope in which what is not emulated stands for itself."""

        def ref(logical_id: str) -> str:
            return self._ref(logical_id) if logical_id in self.created else logical_id

        def get_att(logical_id: str, attribute: str) -> str:
            known = self.created.get(logical_id, Created("")).attributes
            return known.get(attribute, f"{logical_id}.{attribute}")

        return self._scope(ref, get_att)

    def _ref(self, logical_id: str) -> str:
        self._require(logical_id)
        return self.created[logical_id].ref

    def _get_att(self, logical_id: str, attribute: str) -> str:
        self._require(logical_id)
        return self.created[logical_id].attributes[attribute]

    def _require(self, logical_id: str) -> None:
        outcome = self.outcomes.get(logical_id)
        if outcome is not None and logical_id not in self.created:
            raise NotEmulatedError(f"needs {logical_id}, an {outcome.type_name}, which is not emulated")

    def _known_attribute(self, logical_id: str, attribute: str) -> str:
        """Return a text for an attribute that the type of `logical_id` has. Raises KeyError for another."""
        resource_type = self._resource_type(logical_id)
        if resource_type is not None and attribute not in resource_type.attributes:
            raise KeyError(attribute)
        return f"{logical_id}.{attribute}"

    def _property_error(self, logical_id: str, error: PropertyError) -> TemplateError:
        return self._template.error(logical_id, f"{logical_id} ({self.type_of(logical_id)}): {error}.")


def _declares(properties: Mapping[str, Any], path: str) -> bool:
    """Tell whether `path` ("Recovery.Days") leads to something in `properties`."""
    name, _, rest = path.partition(".")
    value = properties.get(name)
    return name in properties and (not rest or (isinstance(value, Mapping) and _declares(value, rest)))
