"""The local stack: what the template declares, created at the local AWS endpoint."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws import sample_data
from emulator.aws.clients import Clients
from emulator.aws.ministack import RESET_PATH
from emulator.aws.resource_type import Created
from emulator.aws.resources import HANDLERS
from emulator.aws.resources.not_emulated import NOT_EMULATED
from emulator.aws.schema import PropertyError, conform
from emulator.credentials import RoleCredentials
from sam_template import ACCOUNT_ID, Template, TemplateError, intrinsics
from sam_template.intrinsics import NO_VALUE, IntrinsicError, Scope
from sam_template.repository import REGION

ENDPOINT_PARAMETER: Final = "AwsEndpointUrl"
SAMPLE_TABLE: Final = "ShopInventory"
SAMPLE_BUCKET: Final = "DataBucket"
SAMPLE_SECRET: Final = "ShopSecret"  # noqa: S105 (a logical id)
SESSION_SECONDS: Final = 3600  # what a role allows unless it says otherwise (IAM User Guide, "MaxSessionDuration")
_RESET_SECONDS: Final = 30


class Stack:
    """The resources of one template at one endpoint. Every error is a TemplateError of one sentence.

    `name` is the stack's name, from which physical names are made: two stacks of different names do not meet.
    The parameter AwsEndpointUrl, if the template has it, is the stack's own endpoint; `parameters` are others that are
    known only now. `secrets` are members of the secret that a person fills in after a deployment.
    """

    def __init__(
        self,
        template: Template,
        endpoint_url: str,
        *,
        name: str = "shop-local",
        region: str = REGION,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._template = template
        self._parameters = dict(parameters or {})
        self._secrets = dict(secrets or {})
        self._name = name
        self._clients = Clients(endpoint_url, region)
        self._created: dict[str, Created] = {}
        self._properties: dict[str, Mapping[str, Any]] = {}

    def create(self) -> None:
        """Create what the template declares, each resource after those it refers to.

        Everything is checked before the first is created. What exists already is brought to what is declared; contents
        stay. Raises TemplateError.
        """
        self._check()
        for logical_id in self._template.creation_order:
            self._properties[logical_id] = self._evaluated(logical_id, self._scope(self._ref, self._get_att))
            self._created[logical_id] = self._create(logical_id)

    def load_sample_data(self) -> int:
        """Load the sample catalogue and files, fill in the secret; return the number of products.

        Raises TemplateError.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._secrets:
                sample_data.fill_in_secret(self._clients, self._ref(SAMPLE_SECRET), self._secrets)
            sample_data.load_files(self._clients, self._ref(SAMPLE_BUCKET))
            return sample_data.load_catalog(self._clients, self._ref(SAMPLE_TABLE))
        except KeyError as error:
            raise TemplateError(f"{self._template.path.name} has no {error} to load the sample data into.") from error
        except sample_data.SampleDataError as error:
            raise TemplateError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise TemplateError(f"The sample data could not be loaded: {error!s}.") from error

    def reset(self) -> None:
        """Bring everything back to what it was after `create` and `load_sample_data`, idempotency tokens included.

        Physical ids stay the same, and so do the sessions of running functions. Raises TemplateError.
        """
        url = self._clients.endpoint_url + RESET_PATH
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=_RESET_SECONDS):  # noqa: S310
                pass
        except (urllib.error.URLError, OSError) as error:
            raise TemplateError(
                f"{url} could not reset the endpoint ({error}); only MiniStack can be reset."
            ) from error
        self.create()
        for logical_id, created in self._created.items():
            handler = HANDLERS.get(self._type(logical_id))
            if handler is not None and handler.restore is not None:
                handler.restore(self._clients, created, self._properties[logical_id])
        self.load_sample_data()

    def environment(self, function: str) -> dict[str, str]:
        """Return the variables that the template declares for `function` (a logical id), with their local values.

        A variable that is AWS::NoValue is left out. Raises TemplateError.
        """
        if function not in self._template.functions:
            raise TemplateError(f"{self._template.path.name} has no function {function}.")
        scope = self._scope(self._ref, self._get_att)
        variables = {}
        for name, node in self._template.functions[function].environment.items():
            where = f"Resources.{function}.Properties.Environment.Variables.{name}"
            try:
                value = intrinsics.evaluate(node, scope, where)
                if value is not NO_VALUE:
                    variables[name] = intrinsics.as_text(value, where)
            except IntrinsicError as error:
                raise self._template.error(function, str(error)) from error
        return variables

    def sam_environment(self) -> dict[str, dict[str, str]]:
        """Return what `sam local --env-vars` reads, as JSON: every function's variables by its logical id.

        Without it sam gives a function the logical ids of the table and the bucket in place of their names.
        """
        return {function: self.environment(function) for function in self._template.functions}

    def role_credentials(self, function: str) -> RoleCredentials:
        """Return an hour's credentials of the role of `function` (a logical id). Raises TemplateError."""
        from botocore.exceptions import BotoCoreError, ClientError

        declared = self._template.functions.get(function)
        if declared is None or declared.role not in self._created:
            raise TemplateError(f"{self._template.path.name} declares no role for the function {function}.")
        arn = self._get_att(declared.role, "Arn")
        try:
            answer = self._clients.sts.assume_role(
                RoleArn=arn, RoleSessionName=function, DurationSeconds=SESSION_SECONDS
            )["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise TemplateError(f"The role of {function} could not be assumed: {error!s}.") from error
        return RoleCredentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"]
        )

    def outputs(self) -> dict[str, str]:
        """Return the template's Outputs with their local values. Raises TemplateError."""
        scope = self._scope(self._ref, self._get_att)
        values = {}
        for name, output in self._template.outputs.items():
            try:
                value = intrinsics.evaluate(output.get("Value"), scope, f"Outputs.{name}.Value")
                values[name] = intrinsics.as_text(value, f"Outputs.{name}.Value")
            except IntrinsicError as error:
                raise self._template.error(name, str(error)) from error
        return values

    @property
    def template(self) -> Template:
        """What the stack was made of."""
        return self._template

    @property
    def created(self) -> Mapping[str, Created]:
        """What `Ref` and `Fn::GetAtt` give for each resource, by logical id."""
        return self._created

    def summary(self) -> list[tuple[str, str, str]]:
        """Return (logical id, type, physical id) of every resource that was created at the endpoint."""
        return [
            (logical_id, self._type(logical_id), created.ref)
            for logical_id, created in self._created.items()
            if self._type(logical_id) in HANDLERS
        ]

    def _type(self, logical_id: str) -> str:
        return str(self._template.resources[logical_id]["Type"])

    def _ref(self, logical_id: str) -> str:
        return self._created[logical_id].ref

    def _get_att(self, logical_id: str, attribute: str) -> str:
        return self._created[logical_id].attributes[attribute]

    def _scope(self, ref: Any, get_att: Any) -> Scope:
        overrides = self._parameters | {ENDPOINT_PARAMETER: self._clients.endpoint_url}
        return self._template.scope(ref, get_att, stack_name=self._name, overrides=overrides)

    def _check(self) -> None:
        """Find every type, property and attribute that the emulator does not know, before anything is created."""
        for logical_id in self._template.creation_order:
            type_name = self._type(logical_id)
            if type_name not in HANDLERS and type_name not in NOT_EMULATED:
                raise self._template.error(
                    logical_id,
                    f"{logical_id} is an {type_name}, which the emulator does not know: write a handler in "
                    "emulator/aws/resources/, or list it in not_emulated.py with the reason.",
                )
            self._evaluated(logical_id, self._scope(lambda name: name, self._known_attribute))

    def _known_attribute(self, logical_id: str, attribute: str) -> str:
        """Return a fake for an attribute that the type of `logical_id` has. Raises KeyError for another."""
        type_name = self._type(logical_id)
        handler = HANDLERS.get(type_name)
        known = handler.attributes if handler else NOT_EMULATED[type_name].attributes
        if attribute not in known:
            raise KeyError(attribute)
        return f"{logical_id}.{attribute}"

    def _evaluated(self, logical_id: str, scope: Scope) -> Mapping[str, Any]:
        """Return the resource's properties, evaluated and, if the emulator creates it, of the declared kinds."""
        where = f"Resources.{logical_id}.Properties"
        type_name = self._type(logical_id)
        handler = HANDLERS.get(type_name)
        try:
            properties = intrinsics.evaluate(self._template.resources[logical_id]["Properties"], scope, where)
            return conform(properties, handler.properties) if handler else properties  # type: ignore[no-any-return]
        except IntrinsicError as error:
            raise self._template.error(logical_id, str(error)) from error
        except PropertyError as error:
            raise self._property_error(logical_id, error) from error

    def _create(self, logical_id: str) -> Created:
        from botocore.exceptions import BotoCoreError, ClientError

        type_name, properties = self._type(logical_id), self._properties[logical_id]
        handler = HANDLERS.get(type_name)
        if handler is None:
            return NOT_EMULATED[type_name].values(
                self._name, logical_id, properties, region=self._clients.region, account=ACCOUNT_ID
            )
        try:
            return handler.create(self._clients, handler.physical_name(self._name, logical_id, properties), properties)
        except PropertyError as error:
            raise self._property_error(logical_id, error) from error
        except (BotoCoreError, ClientError, KeyError) as error:
            raise self._template.error(
                logical_id, f"{logical_id} ({type_name}) could not be created: {error!s}."
            ) from error

    def _property_error(self, logical_id: str, error: PropertyError) -> TemplateError:
        return self._template.error(logical_id, f"{logical_id} ({self._type(logical_id)}): {error}.")
