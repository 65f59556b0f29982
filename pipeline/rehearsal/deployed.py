"""The deployed stack: its state, its resources, and what became of each declared property."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from emulator.aws.resources import find
from emulator.aws.resources.apigatewayv2_api import cors_configuration, route_keys
from pipeline.rehearsal.comparison import Gap, Made, Row, compare
from pipeline.rehearsal.declaration import HTTP_API, VERSION, Declaration, canonical
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.ministack_launcher import PLACEHOLDER
from pipeline.rehearsal.services import Services

IS_PLACEHOLDER: Final = "a placeholder: the emulated CloudFormation does not know the type"
_READERS_AT_ONCE: Final = 4
_SNAPSHOT: Final = {"Delay": 0.2, "MaxAttempts": 300}


class Deployed:
    """What CloudFormation made of a declaration. `at_run_time` are the parameters that only the command line had."""

    def __init__(
        self, services: Services, stack_name: str, declaration: Declaration, at_run_time: Mapping[str, str]
    ) -> None:
        self._services = services
        self._stack_name = stack_name
        self._declaration = declaration
        self._at_run_time = at_run_time

    def status(self) -> str:
        """Return the stack's status, for example UPDATE_ROLLBACK_COMPLETE."""
        return str(self._stack()["StackStatus"])

    def stack_id(self) -> str:
        """Return the stack's ARN, under which it is known after it was deleted."""
        return str(self._stack()["StackId"])

    def deleted(self, stack_id: str) -> set[str]:
        """Return the (canonical) logical ids of what was deleted together with the stack."""
        cloudformation = self._services.named("cloudformation")
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        gone = set()
        for event in (event for page in pages for event in page["StackEvents"]):  # the newest first
            if event["PhysicalResourceId"] == stack_id and event["ResourceStatus"] == "DELETE_IN_PROGRESS":
                break
            if event["ResourceStatus"] == "DELETE_COMPLETE":
                gone.add(canonical(event["LogicalResourceId"]))
        return gone

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._stack().get("Outputs", [])}

    def physical_ids(self) -> dict[str, str]:
        """Return the physical id of each resource of the stack by its (canonical) logical id."""
        cloudformation = self._services.named("cloudformation")
        resources = cloudformation.describe_stack_resources(StackName=self._stack_name)["StackResources"]
        return {canonical(one["LogicalResourceId"]): one["PhysicalResourceId"] for one in resources}

    def values(self) -> dict[str, Mapping[str, Any]]:
        """Return what is declared for each resource that exists, with every reference filled in."""
        physical_ids = self.physical_ids()
        code = self._packaged_code()
        values: dict[str, Mapping[str, Any]] = {}
        for resource in self._declaration.resources:
            if resource.logical_id in physical_ids:
                given = (physical_ids, self._at_run_time, self._services)
                declared = dict(self._declaration.values(resource.logical_id, *given))
                if "Code" in declared:
                    declared["Code"] = code[resource.logical_id]
                values[resource.logical_id] = declared
        return values

    def made(self) -> dict[str, Mapping[str, Any] | None]:
        """Return what the services report of each resource; None for a type without a reader."""
        physical_ids, values = self.physical_ids(), self.values()
        existing = [resource for resource in self._declaration.resources if resource.logical_id in values]

        def read(logical_id: str, type_name: str) -> Mapping[str, Any] | None:
            resource_type = find(type_name)
            if resource_type is None:
                return None
            try:
                return resource_type.read(self._services, physical_ids[logical_id], values[logical_id])
            except (BotoCoreError, ClientError, LookupError):  # it does not exist, or not as it should
                return dict.fromkeys(values[logical_id])

        with ThreadPoolExecutor(_READERS_AT_ONCE) as readers:
            reports = readers.map(lambda resource: read(resource.logical_id, resource.type_name), existing)
            return dict(zip((resource.logical_id for resource in existing), reports, strict=True))

    def rows(self, gaps: tuple[Gap, ...]) -> list[Row]:
        """Return a row for each declared property."""
        physical_ids, values, made = self.physical_ids(), self.values(), self.made()
        rows = []
        for resource in self._declaration.resources:
            name, kind = resource.logical_id, resource.type_name
            if physical_ids.get(name, "").startswith(PLACEHOLDER):
                rows += [Row(name, kind, one, Made.NOT_EMULATED, IS_PLACEHOLDER) for one in resource.properties]
            elif name in values:
                rows += compare(name, kind, values[name], made[name], gaps)
            else:
                rows.append(Row(name, kind, "(all)", Made.DIFFERS, "the stack does not have it"))
        return rows

    def require_versions_active(self) -> None:
        """Return once every published version can be invoked. Raises RehearsalError when one never will be.

        Until its snapshot is made, Lambda refuses to invoke a version, and the emulated CloudFormation does not wait.
        """
        physical_ids = self.physical_ids()
        waiter = self._services.named("lambda").get_waiter("published_version_active")
        for logical_id in (one.logical_id for one in self._declaration.resources if one.type_name == VERSION):
            if logical_id not in physical_ids:
                continue  # what is not there is a row of the comparison
            try:
                waiter.wait(FunctionName=physical_ids[logical_id], WaiterConfig=_SNAPSHOT)
            except WaiterError as error:
                reason = error.last_response.get("StateReason") or error
                raise RehearsalError(f"{logical_id} cannot be invoked: {reason}") from error

    def serve_routes(self) -> str:
        """Give the API its declared routes and CORS through API Gateway's own API; return the API's id.

        The emulated CloudFormation leaves them out, and without them nobody reaches the functions over HTTP.
        """
        gateway, values = self._services.named("apigatewayv2"), self.values()
        name = next(one.logical_id for one in self._declaration.resources if one.type_name == HTTP_API)
        api_id, routes = self.physical_ids()[name], route_keys(values[name])
        targets = {
            uri: gateway.create_integration(
                ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uri, PayloadFormatVersion="2.0"
            )["IntegrationId"]
            for uri in sorted(set(routes.values()))
        }
        for key, uri in routes.items():
            gateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{targets[uri]}")
        gateway.update_api(ApiId=api_id, CorsConfiguration=cors_configuration(values[name]))
        return api_id

    def _stack(self) -> Mapping[str, Any]:
        cloudformation = self._services.named("cloudformation")
        stack: Mapping[str, Any] = cloudformation.describe_stacks(StackName=self._stack_name)["Stacks"][0]
        return stack

    def _packaged_code(self) -> dict[str, Mapping[str, str]]:
        """Return where `sam deploy` put each function's code: the change set's template says it."""
        cloudformation = self._services.named("cloudformation")
        template = cloudformation.get_template(StackName=self._stack_name, TemplateStage="Processed")["TemplateBody"]
        resources: Mapping[str, Any] = template["Resources"]
        return {
            name: one["Properties"]["Code"] for name, one in resources.items() if "Code" in one.get("Properties", {})
        }
