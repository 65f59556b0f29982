"""The local stack: what the template declares, created at the local AWS endpoint."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from emulator.aws import sample_data
from emulator.aws.clients import NOWHERE, Clients
from emulator.aws.ministack import RESET_PATH
from emulator.aws.provisioning import Outcome, Provisioner, Standing
from emulator.aws.resource_type import Created, NotEmulatedError
from emulator.credentials import ADMIN_HEADER, Endpoint, RoleCredentials
from emulator.project.declaration import AWS_ENDPOINT, NAME, Declaration
from sam_template import Template, TemplateError, intrinsics
from sam_template.intrinsics import NO_VALUE, IntrinsicError

SESSION_SECONDS: Final = 3600  # what a role allows unless it says otherwise (IAM User Guide, "MaxSessionDuration")
_RESET_SECONDS: Final = 30


class Stack:
    """The resources of one template at one endpoint. Every error is a TemplateError of one sentence.

    `name` is the stack's name, from which physical names are made: two stacks of different names do not meet.
    `declaration` says which parameters are the stack's own endpoint, and what is loaded into it; `parameters` are
    others that are known only now. `secrets` are members of secrets, by logical id, that a person fills in after a
    deployment. `is_strict` makes an error of what is not emulated. `functions_url` is where the endpoint hands
    events to functions.
    """

    def __init__(
        self,
        template: Template,
        endpoint: Endpoint,
        *,
        name: str = "local",
        declaration: Declaration | None = None,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        is_strict: bool = False,
        functions_url: str = NOWHERE,
    ) -> None:
        self._template = template
        self._secrets = dict(secrets or {})
        self._is_strict = is_strict
        self._clients = Clients(endpoint, template.region, functions_url, direct=True)
        self._declaration = declaration or Declaration()
        of_endpoint = [name for name, value in self._declaration.parameters.items() if value == AWS_ENDPOINT]
        overrides = {**(parameters or {}), **dict.fromkeys(of_endpoint, endpoint.url)}
        self._provisioner = Provisioner(template, self._clients, name, overrides)

    def create(self) -> None:
        """Create what the template declares, or bring what exists to it; contents stay. Raises TemplateError."""
        self._provisioner.create()
        if self._is_strict:
            self._require_all_emulated()

    def load_sample_data(self) -> int:
        """Load the sample items and files, fill in the secrets; return the number of items. Raises TemplateError."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            with ThreadPoolExecutor() as threads:
                load, clients = threads.submit, self._clients
                others: list[Future[Any]] = [
                    load(sample_data.fill_in_secret, clients, self._ref(secret), members)
                    for secret, members in self._secrets.items()
                ]
                others += [
                    load(sample_data.load_files, clients, self._ref(files.bucket), files.folder)
                    for files in self._declaration.files
                ]
                items = [
                    load(sample_data.load_items, clients, self._ref(one.table), one) for one in self._declaration.items
                ]
                for loading in others:
                    loading.result()
                return sum(loading.result() for loading in items)
        except KeyError as error:
            raise TemplateError(
                f"{self._template.path.name} has no {error}, which {NAME} loads sample data into: correct the "
                "name, or the resource's Condition."
            ) from error
        except sample_data.SampleDataError as error:
            raise TemplateError(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise TemplateError(f"The sample data could not be loaded: {error!s}.") from error

    def reset(self) -> None:
        """Bring everything back to what it was after `create` and `load_sample_data`, idempotency tokens included.

        Physical ids stay the same, and so do the sessions of running functions. Raises TemplateError.
        """
        endpoint = self._clients.endpoint
        url = (endpoint.admin_url or endpoint.url) + RESET_PATH
        request = urllib.request.Request(url, method="POST", headers={ADMIN_HEADER: endpoint.root.admin_token})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_RESET_SECONDS):  # noqa: S310
                pass
        except (urllib.error.URLError, OSError) as error:
            raise TemplateError(
                f"{url} could not reset the endpoint ({error}); only MiniStack can be reset."
            ) from error
        self.create()
        self._provisioner.restore()
        self.load_sample_data()

    def environment(self, function: str) -> dict[str, str]:
        """Return the variables that the template declares for `function` (a logical id), with their local values.

        A variable that is AWS::NoValue is left out. Raises TemplateError.
        """
        if function not in self._template.functions:
            raise TemplateError(f"{self._template.path.name} has no function {function}.")
        scope = self._provisioner.scope()
        variables = {}
        for name, node in self._template.functions[function].environment.items():
            where = f"Resources.{function}.Properties.Environment.Variables.{name}"
            try:
                value = intrinsics.evaluate(node, scope, where)
                if value is not NO_VALUE:
                    variables[name] = intrinsics.as_text(value, where)
            except IntrinsicError as error:
                raise self._template.error(function, str(error)) from error
            except NotEmulatedError as error:
                sentence = f"the variable {name} of {function} {error}; give it another value."
                raise self._template.error(function, sentence) from error
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
        if declared is None or declared.role not in self.created:
            raise TemplateError(f"{self._template.path.name} declares no role for the function {function}.")
        arn = self.created[declared.role].attributes["Arn"]
        try:
            answer = self._clients.sessions.assume_role(
                RoleArn=arn,
                RoleSessionName=function.ljust(2, "_"),  # has two characters at least; a logical id has no underscore
                DurationSeconds=SESSION_SECONDS,
            )["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise TemplateError(f"The role of {function} could not be assumed: {error!s}.") from error
        return RoleCredentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"]
        )

    def outputs(self) -> dict[str, str]:
        """Return the template's Outputs with their local values, but for those of what is not emulated.

        Raises TemplateError.
        """
        scope = self._provisioner.scope()
        values = {}
        for name, output in self._template.outputs.items():
            try:
                value = intrinsics.evaluate(output.get("Value"), scope, f"Outputs.{name}.Value")
                values[name] = intrinsics.as_text(value, f"Outputs.{name}.Value")
            except NotEmulatedError:
                continue
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
        return self._provisioner.created

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What became of each resource, by logical id."""
        return self._provisioner.outcomes

    def summary(self) -> list[tuple[str, str, str]]:
        """Return (logical id, type, physical id) of every resource that exists at the endpoint."""
        return [
            (outcome.logical_id, outcome.type_name, self.created[outcome.logical_id].ref)
            for outcome in self.outcomes.values()
            if outcome.standing in (Standing.CHECKED, Standing.BY_MINISTACK)
        ]

    def notes(self) -> list[str]:
        """Return a line for what is made and not checked, and lines for what is not emulated, by their reasons."""
        outcomes = self.outcomes.values()
        unchecked = [_named(one) for one in outcomes if one.standing is Standing.BY_MINISTACK]
        missing: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            if outcome.standing is Standing.NOT_EMULATED:
                missing.setdefault(outcome.remark, []).append(outcome)
        return [
            *([f"Made by MiniStack, properties not checked: {', '.join(unchecked)}."] if unchecked else []),
            *(f"Not emulated: {_listed(members)}; {remark}." for remark, members in missing.items()),
            *(f"{_named(outcome)}: {sentence}." for outcome in outcomes for sentence in outcome.left_out),
        ]

    def _ref(self, logical_id: str) -> str:
        return self.created[logical_id].ref

    def _require_all_emulated(self) -> None:
        for outcome in self.outcomes.values():
            if outcome.left_out or not outcome.is_expected:
                why = "; ".join(outcome.left_out) or f"it is not emulated: {outcome.remark}"
                raise self._template.error(
                    outcome.logical_id,
                    f"{outcome.logical_id} ({outcome.type_name}): {why}. Without STRICT the start goes on.",
                )


def _named(outcome: Outcome) -> str:
    return f"{outcome.logical_id} ({outcome.type_name.removeprefix('AWS::')})"


def _listed(outcomes: list[Outcome]) -> str:
    """Return the names of resources, or only their types where the types are expected not to be there."""
    if not outcomes[0].is_expected:
        return ", ".join(map(_named, outcomes))
    count = Counter(outcome.type_name.removeprefix("AWS::") for outcome in outcomes)
    return ", ".join(f"{number} {name}" for name, number in count.items())
