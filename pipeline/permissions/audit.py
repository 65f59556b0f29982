"""Whether each function of the template may call what its code calls, and may call nothing else.

Allow statements are compared by their actions; which resources they reach, the emulator enforces at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from pipeline.permissions.client_calls import UnreadableCallError, read_package
from pipeline.permissions.iam_actions import UnknownActionError, client_methods, iam_actions
from sam_template import Function, Template
from sam_template.translation import parse

PARAMETERS: Final[Sequence[Mapping[str, str]]] = (
    {},
    {
        "Stage": "prod",
        "GradualDeployment": "true",
        "SyntheticCheck": "true",
        "VpcId": "vpc-0",
        "VpcSubnetIds": "subnet-0",
    },
)
"""The values with which the template is read: a laptop's, and those with which every function and policy is there."""


@dataclass(frozen=True)
class Exceptions:
    """What no call explains, and why it is there all the same.

    `actions` are (function, action), `managed_policies` the last parts of their ARNs.
    """

    actions: Mapping[tuple[str, str], str]
    managed_policies: Mapping[str, str]


JUSTIFIED: Final = Exceptions(
    actions={
        ("InventoryFunction", "s3:ListBucket"): (
            "without it S3 answers 403, not 404, for a key that does not exist "
            "(Amazon S3 API Reference, GetObject and HeadObject, Permissions)"
        ),
    },
    managed_policies={
        "AWSLambdaBasicExecutionRole": "Lambda writes the function's log with the function's role",
        "AWSLambdaVPCAccessExecutionRole": "Lambda makes network interfaces in the VPC with the function's role",
        "AWSXrayWriteOnlyAccess": "Lambda sends the function's traces with the function's role",
    },
)


FOR_EVENT_SOURCES: Final = frozenset(
    f"AWSLambda{source}ExecutionRole" for source in ("SQSQueue", "DynamoDB", "Kinesis", "MSK")
)
"""What SAM gives a function that is polled for: Lambda reads the queue or stream with the function's role."""
_RESOURCES: Final = {
    "dynamodb": ("AWS::DynamoDB::Table", "!GetAtt %s.Arn"),
    "events": ("AWS::Events::EventBus", "!GetAtt %s.Arn"),
    "kinesis": ("AWS::Kinesis::Stream", "!GetAtt %s.Arn"),
    "kms": ("AWS::KMS::Key", "!GetAtt %s.Arn"),
    "lambda": ("AWS::Lambda::Function", "!GetAtt %s.Arn"),
    "s3": ("AWS::S3::Bucket", "!GetAtt %s.Arn"),
    "secretsmanager": ("AWS::SecretsManager::Secret", "!Ref %s"),
    "sns": ("AWS::SNS::Topic", "!Ref %s"),
    "sqs": ("AWS::SQS::Queue", "!GetAtt %s.Arn"),
    "states": ("AWS::StepFunctions::StateMachine", "!Ref %s"),
}
"""What an action of a service is about: the type of the resource, and how a template names one."""


def audit(templates: Sequence[Template], justified: Exceptions = JUSTIFIED) -> list[str]:
    """Return a sentence for each permission to add or to remove, and for each exception that is no longer one.

    `templates` are one template, read with different parameters. Raises TemplateError and SyntaxError.
    """
    called_actions = cache(_called_actions)  # the sources are the same for all of them
    sentences = [
        sentence
        for template in templates
        for function in template.functions.values()
        for sentence in _audit_function(template, function, called_actions, justified)
    ]
    return list(dict.fromkeys([*sentences, *_unseen_functions(templates), *_stale_exceptions(templates, justified)]))


def _unseen_functions(templates: Sequence[Template]) -> Iterator[str]:
    path = templates[0].path
    seen = {name for template in templates for name in template.functions}
    for name, resource in parse(path, path.read_text(encoding="utf-8"))["Resources"].items():
        if resource["Type"] in ("AWS::Serverless::Function", "AWS::Lambda::Function") and name not in seen:
            yield f"Read {path.name} with a parameter that brings {name} about, or its permissions stay unseen."


def _stale_exceptions(templates: Sequence[Template], justified: Exceptions) -> Iterator[str]:
    """Yield what can be told only when every function is known; `_audit_function` tells the rest."""
    functions = [(template, function) for template in templates for function in template.functions.values()]
    policies = {policy for template, function in functions for policy in _managed_policies(template, function.role)}
    for policy in sorted(justified.managed_policies.keys() - policies):
        yield f"Strike {policy} off the exceptions: no function has it."
    for name, action in sorted(justified.actions):
        if name not in {function.logical_id for _, function in functions}:
            yield f"Strike {action} of {name} off the exceptions: there is no such function."


def _audit_function(
    template: Template,
    function: Function,
    called_actions: Callable[[Path], Mapping[str, str]],
    justified: Exceptions,
) -> Iterator[str]:
    name, where = function.logical_id, f"the Policies of {function.logical_id} in {template.path.name}"
    if not function.role:
        yield f"Give {name} a role that {template.path.name} declares, or its permissions stay unseen."
        return
    try:
        called = called_actions(function.code_uri)
    except UnreadableCallError as error:
        yield f"{name}: {error}"
        return
    listed = list(_allowed_actions(template, function))
    allowed = {action for action, _ in listed}
    excepted = {action for owner, action in justified.actions if owner == name}
    for action, place in called.items():
        if not any(_covers(pattern, action) for pattern in allowed):
            yield f"Add {action} to {where}: {place} calls it. Write `{_statement(template, action)}`."
    for pattern in sorted({action for action, sams in listed if not sams} - excepted):
        if "*" in pattern or "?" in pattern:
            yield f"Name the actions that {pattern} stands for in {where}."
        elif not any(_covers(pattern, action) for action in called):
            yield f"Remove {pattern} from {where}: nothing in {function.code_uri.name}/ calls it."
    for policy in sorted({sams for _, sams in listed if sams}):
        if not any(_covers(pattern, action) for pattern, sams in listed if sams == policy for action in called):
            yield f"Remove {policy} from {where}: nothing in {function.code_uri.name}/ calls what it allows."
    for action in sorted(excepted):
        if action in called or action not in allowed:
            reason = f"{called[action]} calls it" if action in called else "its policy does not allow it"
            yield f"Strike {action} of {name} off the exceptions: {reason}."
    for policy in _managed_policies(template, function.role):
        if policy not in justified.managed_policies and policy not in FOR_EVENT_SOURCES:
            yield f"Write the statements that {name} needs in {where} instead of {policy}, or justify the exception."


def _called_actions(code_uri: Path) -> dict[str, str]:
    """Return the actions that a function needs, each with a place that does. Raises UnreadableCallError."""
    actions: dict[str, str] = {}
    for call in read_package(code_uri, client_methods):
        try:
            needed = iam_actions(call.service, call.method, call.members)
        except UnknownActionError as error:
            raise UnreadableCallError(f"{call.place}: {call.method} cannot be audited: {error}.") from error
        for action in sorted(needed):
            actions.setdefault(action, call.place)
    return actions


def _allowed_actions(template: Template, function: Function) -> Iterator[tuple[str, str]]:
    """Yield the actions, patterns among them, that the function's role allows, each with its policy template.

    That is "" for what is written out. SAM's policy templates allow a group of actions each, whatever is called.
    """
    role = function.role
    sams = _policy_templates(template, function)
    policies = template.evaluated(role).get("Policies", [])
    documents = [(policy["PolicyDocument"], sams.get(policy["PolicyName"], "")) for policy in policies]
    for logical_id, resource in template.resources.items():
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            properties = template.evaluated(logical_id)
            if role in (properties.get("RoleName"), *properties.get("Roles", [])):
                is_connector = "aws:sam:connectors" in resource.get("Metadata", {})
                documents.append((properties["PolicyDocument"], logical_id if is_connector else ""))
    for document, policy_template in documents:
        for statement in _many(document["Statement"]):
            if statement["Effect"] == "Allow":
                for action in _many(statement.get("Action", "*")):  # NotAction allows all but a few
                    yield action, policy_template


def _policy_templates(template: Template, function: Function) -> dict[str, str]:
    """Return the names of the inline policies that SAM makes of policy templates, each with the template's name.

    Source: AWS SAM Developer Guide, "AWS SAM policy templates"; samtranslator, role_constructor.py (names of policies).
    """
    source = parse(template.path, template.path.read_text(encoding="utf-8"))["Resources"].get(function.logical_id, {})
    declared = _many(source.get("Properties", {}).get("Policies", []))
    found = {}
    for index, policy in enumerate(declared):
        branches = policy["Fn::If"][1:] if isinstance(policy, Mapping) and "Fn::If" in policy else [policy]
        for branch in branches:
            if isinstance(branch, Mapping) and len(branch) == 1 and str(next(iter(branch))).endswith("Policy"):
                found[f"{function.role}Policy{index}"] = str(next(iter(branch)))
    return found


def _statement(template: Template, action: str) -> str:
    """Return how to allow `action`, as YAML for a function's Policies; the resource is the first that it can be."""
    service = action.partition(":")[0]
    type_name, resource = _RESOURCES.get(service, ("", ""))
    owners = [name for name, one in template.resources.items() if one["Type"] == type_name]
    if service == "s3" and action.endswith("Object"):
        resource = '!Sub "${%s.Arn}/*"'
    target = resource.replace("%s", owners[0]) if owners else "the ARN of what it is about"
    return f"- Statement: [{{Effect: Allow, Action: {action}, Resource: {target}}}]"


def _managed_policies(template: Template, role: str) -> list[str]:
    """Return the last parts of the ARNs of AWS's managed policies; those of the template are read as statements."""
    arns = [str(arn) for arn in template.evaluated(role).get("ManagedPolicyArns", [])] if role else []
    return [arn.rpartition("/")[2] for arn in arns if arn not in template.resources]


def _many(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _covers(pattern: str, action: str) -> bool:
    """Tell whether a policy that names `pattern` names `action` (IAM JSON policy elements, "Action")."""
    return fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]"))
