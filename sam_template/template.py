"""A SAM template as everything here reads it: plain CloudFormation, parameters applied, conditions decided."""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Mapping, Set
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from sam_template import intrinsics
from sam_template.intrinsics import IntrinsicError, Scope
from sam_template.parameters import parameter_values, referable_values
from sam_template.translation import TemplateError, place, translate

__all__ = ["Function", "Route", "Template", "TemplateError"]

ACCOUNT_ID: Final = "000000000000"
DEFAULT_REGION: Final = "us-east-1"
"""The region of who names none."""
_HTTP_API_TYPES: Final = ("AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi")
_LAYER_HASH_LENGTH: Final = 10
_CACHE_IN_HOME: Final = Path(".local", "translations")


class Route(NamedTuple):
    """One route of an API: `method` in capitals ("ANY" for all), `path` as declared, the function's logical id."""

    method: str
    path: str
    function: str


class Function(NamedTuple):
    """What the template says of a function.

    `code_uri` is absolute, `timeout` is in seconds, `memory_size` and `ephemeral_storage` are in MiB. `role` is the
    logical id of its role ("" when the role is not in the template). `image` is the name of its image, "" for a ZIP
    package. `environment` holds the variables as declared, intrinsics not yet evaluated.
    """

    logical_id: str
    runtime: str
    architecture: str
    handler: str
    code_uri: Path
    timeout: int
    memory_size: int
    ephemeral_storage: int
    role: str
    environment: Mapping[str, Any]
    image: str = ""


class Template:
    """A loaded template.

    `region` is where it is deployed to. `parameters` holds every parameter's value as text. `resources` holds the
    resources whose condition holds, intrinsics not evaluated; `outputs` likewise; `declared_resources` holds every one.
    """

    def __init__(
        self, path: Path, parameters: Mapping[str, str], document: Mapping[str, Any], region: str = DEFAULT_REGION
    ) -> None:
        self.path = path
        self.region = region
        self.parameters = parameters
        self._document = document
        self.declared_resources: Mapping[str, Mapping[str, Any]] = self.section("Resources")
        self.resources = self._that_hold("Resources")
        self.outputs = self._that_hold("Outputs")
        self._code_uris: Mapping[str, str] = {}

    @classmethod
    def load(
        cls,
        path: Path,
        parameters: Mapping[str, str] | None = None,
        *,
        cache: Path | None = None,
        region: str = DEFAULT_REGION,
    ) -> Template:
        """Return the template at `path` with `parameters` over its defaults.

        `cache` is the folder where translations are kept; without it, `.local/translations` beside the template when
        `.local` exists, else none. Raises TemplateError.
        """
        path = path.resolve()
        if cache is None and (path.parent / _CACHE_IN_HOME.parent).is_dir():
            cache = path.parent / _CACHE_IN_HOME
        overrides = dict(parameters or {})
        translation = translate(path, overrides, cache, region)
        values = parameter_values(path.name, translation.document.get("Parameters") or {}, overrides)
        template = cls(path, values, translation.document, region)
        template._code_uris = translation.code_uris
        template._check()
        return template

    def scope(
        self,
        ref: Callable[[str], Any],
        get_att: Callable[[str, str], Any],
        *,
        stack_name: str = "stack",
        overrides: Mapping[str, str] | None = None,
    ) -> Scope:
        """Return what the template's intrinsics refer to, with `ref` and `get_att` answering for resources.

        `overrides` are values for parameters; those that the template does not declare are passed over.
        """
        declared = self.section("Parameters")
        replaced = {name: value for name, value in (overrides or {}).items() if name in declared}
        values = referable_values(declared, {**self.parameters, **replaced})
        values.update(pseudo_parameters(stack_name, self.region))
        return Scope(values, self.section("Conditions"), self.section("Mappings"), ref, get_att)

    def symbols(self, *, stack_name: str = "stack", overrides: Mapping[str, str] | None = None) -> Scope:
        """Return a scope in which a resource stands for itself: its logical id, or "logical id.attribute"."""
        return self._symbols(None, stack_name=stack_name, overrides=overrides)

    def evaluated(self, logical_id: str, member: str = "Properties", scope: Scope | None = None) -> Any:
        """Return a member of a resource ("Properties", "DeletionPolicy" …) evaluated in `scope`, or by `symbols`.

        Raises TemplateError with the place.
        """
        where = f"Resources.{logical_id}.{member}"
        try:
            return intrinsics.evaluate(self.resources[logical_id][member], scope or self.symbols(), where)
        except IntrinsicError as error:
            raise self.error(logical_id, str(error)) from error

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """The functions by logical id."""
        found = {}
        for logical_id, resource in self.resources.items():
            if resource["Type"] == "AWS::Lambda::Function":
                found[logical_id] = self._function(logical_id, self._symbolic(logical_id), resource["Properties"])
        return found

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Every route of the template's APIs, by path and method."""
        found = set()
        for logical_id, resource in self.resources.items():
            if resource["Type"] in _HTTP_API_TYPES:
                for path, methods in (self._symbolic(logical_id).get("Body") or {}).get("paths", {}).items():
                    for method, operation in methods.items():
                        function = self._integrated_function(operation)
                        if function:
                            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
                            found.add(Route(verb, path, function))
        return tuple(sorted(found, key=lambda route: (route.path, route.method)))

    @cached_property
    def dependencies(self) -> Mapping[str, Set[str]]:
        """For each logical id those that it refers to or depends on. Raises TemplateError for one that is not there."""
        graph = {}
        for logical_id, resource in self.resources.items():
            after = resource.get("DependsOn", [])
            named = {after} if isinstance(after, str) else set(after)
            for name in sorted(named - self.section("Resources").keys()):
                raise self.error(logical_id, f"{logical_id} depends on {name}, which the template does not declare.")
            referred = {name for name, _ in self._references(logical_id)}
            graph[logical_id] = (referred | named) & self.resources.keys()
        return graph

    @cached_property
    def creation_order(self) -> tuple[str, ...]:
        """The logical ids, each after its dependencies. Raises TemplateError for a circle."""
        try:
            return tuple(graphlib.TopologicalSorter(self.dependencies).static_order())
        except graphlib.CycleError as error:
            circle = " → ".join(error.args[1])
            raise TemplateError(f"{self.path.name}: resources refer to each other in a circle ({circle}).") from error

    @cached_property
    def attributes_used(self) -> frozenset[tuple[str, str]]:
        """Every (logical id, attribute) that `Fn::GetAtt` asks for, in resources and outputs."""
        seen: set[tuple[str, str]] = set().union(*map(self._references, self.resources))
        for output in self.outputs.values():
            intrinsics.evaluate(output.get("Value"), self._symbols(seen), "Outputs")
        return frozenset((logical_id, attribute) for logical_id, attribute in seen if attribute)

    def layers(self, logical_id: str) -> list[tuple[str, Path | None]]:
        """Return a function's layers in order: the logical id in the SAM template and the folder of its source.

        A layer that is not in the template has its ARN, and no folder.
        """
        found: list[tuple[str, Path | None]] = []
        for layer in self.evaluated(logical_id).get("Layers") or []:
            resource = self.resources.get(str(layer), {})
            # The translator adds ten digits of a hash to the id of an AWS::Serverless::LayerVersion.
            sam_id = str(layer)[:-_LAYER_HASH_LENGTH] if str(layer) not in self._code_uris else str(layer)
            location = self._code_uris.get(sam_id)
            if location is None:
                sam_id, location = str(layer), (resource.get("Properties") or {}).get("Content")
            folder = (self.path.parent / location).resolve() if isinstance(location, str) else None
            found.append((sam_id, folder))
        return found

    def docker_context(self, logical_id: str) -> Path | None:
        """Return the folder from which `sam build` makes the image of a function, None for one that it does not make.

        Source: AWS SAM Developer Guide, "Building a Lambda function container image".
        """
        context = (self.resources[logical_id].get("Metadata") or {}).get("DockerContext")
        return (self.path.parent / context).resolve() if isinstance(context, str) else None

    def error(self, logical_id: str, sentence: str) -> TemplateError:
        """Return a TemplateError that names the file and the line of `logical_id`."""
        source = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        return TemplateError(f"{place(self.path, source, logical_id)}: {sentence}")

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section of the translated template, such as Conditions; empty when there is none."""
        return self._document.get(name) or {}

    def _that_hold(self, section: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the members of a section whose condition holds, their Properties never missing."""
        members: dict[str, Mapping[str, Any]] = {}
        for name, member in self.section(section).items():
            condition = member.get("Condition")
            try:
                if condition is None or intrinsics.evaluate_condition(condition, self.symbols(), f"{section}.{name}"):
                    members[name] = {"Properties": {}, **member} if section == "Resources" else member
            except IntrinsicError as error:
                raise self.error(name, str(error)) from error
        return members

    def _symbols(self, seen: set[tuple[str, str]] | None, **where: Any) -> Scope:
        """Return `symbols`, which add to `seen` what is referred to: (logical id, attribute), "" for Ref."""

        def symbol(logical_id: str, attribute: str = "") -> str:
            if logical_id not in self.resources:
                raise KeyError(logical_id)
            if seen is not None:
                seen.add((logical_id, attribute))
            return f"{logical_id}.{attribute}" if attribute else logical_id

        return self.scope(symbol, symbol, **where)

    def _symbolic(self, logical_id: str, seen: set[tuple[str, str]] | None = None) -> dict[str, Any]:
        value = self.evaluated(logical_id, scope=self._symbols(seen))
        if not isinstance(value, dict):
            raise self.error(logical_id, f"the Properties of {logical_id} must be a mapping.")
        return value

    def _references(self, logical_id: str) -> set[tuple[str, str]]:
        seen: set[tuple[str, str]] = set()
        self._symbolic(logical_id, seen)
        return seen

    def _function(self, logical_id: str, properties: Mapping[str, Any], declared: Mapping[str, Any]) -> Function:
        environment = declared.get("Environment") or {}
        variables = environment.get("Variables") or {}
        if intrinsics.function_of(environment) or intrinsics.function_of(variables):
            raise self.error(logical_id, f"{logical_id} must name its Environment.Variables one by one.")
        role, _, attribute = str(properties.get("Role", "")).partition(".")
        try:
            return Function(
                logical_id=logical_id,
                runtime=str(properties.get("Runtime", "")),
                architecture=str((properties.get("Architectures") or ["x86_64"])[0]),
                handler=str(properties.get("Handler", "")),
                code_uri=(self.path.parent / self._code_uris.get(logical_id, ".")).resolve(),
                timeout=int(properties.get("Timeout", 3)),
                memory_size=int(properties.get("MemorySize", 128)),
                ephemeral_storage=int((properties.get("EphemeralStorage") or {}).get("Size", 512)),
                role=role if attribute == "Arn" and role in self.resources else "",
                environment=dict(variables),
                image=str((properties.get("Code") or {}).get("ImageUri") or ""),
            )
        except (TypeError, ValueError, AttributeError) as error:
            sentence = f"{logical_id} has a Timeout, MemorySize or EphemeralStorage.Size that is no number."
            raise self.error(logical_id, sentence) from error

    def _integrated_function(self, operation: Mapping[str, Any]) -> str:
        """Return the logical id of the function behind an operation of an OpenAPI body, through its alias if any."""
        uri = str((operation.get("x-amazon-apigateway-integration") or {}).get("uri", ""))
        name = uri.partition("/functions/")[2].partition("/")[0].removesuffix(".Arn")
        resource = self.resources.get(name)
        if resource is not None and resource["Type"] == "AWS::Lambda::Alias":
            name = str(self._symbolic(name).get("FunctionName", ""))
        return name if name in self.resources else ""

    def _check(self) -> None:
        """Evaluate everything once, so that a mistake is found before anything is created."""
        _ = self.creation_order, self.functions, self.routes
        for name, output in self.outputs.items():
            try:
                intrinsics.evaluate(output.get("Value"), self.symbols(), f"Outputs.{name}.Value")
            except IntrinsicError as error:
                raise self.error(name, str(error)) from error


def pseudo_parameters(stack_name: str, region: str) -> dict[str, Any]:
    """Return the pseudo parameters of a local stack ("Pseudo parameters reference"); AWS::NoValue is no value."""
    stack_id = f"arn:aws:cloudformation:{region}:{ACCOUNT_ID}:stack/{stack_name}/00000000-0000-0000-0000-000000000000"
    return {
        "AWS::AccountId": ACCOUNT_ID,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }
