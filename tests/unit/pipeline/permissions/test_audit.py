"""Each function may call what it calls, and nothing else; the audit that says so notices both."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.permissions.__main__ import main
from pipeline.permissions.audit import PARAMETERS, Exceptions, audit
from sam_template import Template
from sam_template.repository import TEMPLATE
from tests.shop import link_definitions

Small = Callable[..., list[str]]
LOGS = Exceptions(actions={}, managed_policies={"AWSLambdaBasicExecutionRole": "logs"})
SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  IsOn: {Type: String, Default: "true"}
Conditions:
  IsWanted: !Equals [!Ref IsOn, "true"]
Resources:
  Items: {Type: AWS::Serverless::SimpleTable}
  Reader:
    Type: AWS::Serverless::Function
    Condition: IsWanted
    Properties:
      CodeUri: code/
      Handler: h.h
      Runtime: python3.13
      Policies: [POLICIES]
"""
SCAN = 'import boto3\nboto3.client("dynamodb").scan()\n'


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Audit a template with one function."""

    def small(
        policies: str,
        code: str = SCAN,
        justified: Exceptions = LOGS,
        parameters: Mapping[str, str] | None = None,
        template: str = SMALL,
    ) -> list[str]:
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "h.py").write_text(code)
        path = tmp_path / "template.yaml"
        path.write_text(template.replace("POLICIES", policies))
        return audit([Template.load(path, parameters)], justified)

    return small


def allowing(*actions: str) -> str:
    return f"{{Statement: [{{Effect: Allow, Action: [{', '.join(map(repr, actions))}], Resource: '*'}}]}}"


def test_each_function_of_the_template_may_call_what_it_calls_and_nothing_else() -> None:
    assert audit([Template.load(TEMPLATE, parameters) for parameters in PARAMETERS]) == []


def test_what_both_audits_say_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pipeline.permissions.__main__.audit", lambda _: ["Of a function."])
    monkeypatch.setattr("pipeline.permissions.__main__.audit_execution_role", lambda *_: ["Of the role."])
    assert main() == 1
    assert capsys.readouterr().out == "Of a function.\nOf the role.\n"


def test_a_template_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.permissions.__main__.TEMPLATE", tmp_path / "template.yaml")
    assert main() == 1
    assert capsys.readouterr().out.endswith("name an existing template.\n")


def test_a_call_without_a_permission_and_a_permission_without_a_call_are_found(tmp_path: Path) -> None:
    for name in ("inventory_function", "shopbot_function", "lambda_http", "pre_traffic_check"):
        shutil.copytree(TEMPLATE.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "inventory_function" / "app" / "table.py").open("a") as table:
        table.write('\n\ndef find() -> object:\n    return aws_clients.dynamodb().query(TableName="t")\n')
    path = tmp_path / "template.yaml"
    source = TEMPLATE.read_text()
    for old, new in (
        ("dynamodb:GetItem, dynamodb:Scan", "dynamodb:Scan, dynamodb:DescribeTable"),
        ("Action: lambda:InvokeFunction", "Action: lambda:InvokeAsync"),
    ):
        assert source.count(old) == 1
        source = source.replace(old, new)
    path.write_text(source)
    link_definitions(tmp_path)

    sentences = audit([Template.load(path, PARAMETERS[-1])])

    inventory, hook = (f"the Policies of {name}Function in template.yaml" for name in ("Inventory", "PreTrafficCheck"))
    read = "`- Statement: [{Effect: Allow, Action: %s, Resource: !GetAtt NAME.Arn}]`"
    # Which table or function is the first of the template is not asked here.
    assert [re.sub(r"!GetAtt \w+", "!GetAtt NAME", re.sub(r"line \d+", "line N", one)) for one in sentences] == [
        f"Add dynamodb:GetItem to {inventory}: app/table.py, line N calls it. Write {read % 'dynamodb:GetItem'}.",
        f"Add dynamodb:Query to {inventory}: app/table.py, line N calls it. Write {read % 'dynamodb:Query'}.",
        f"Remove dynamodb:DescribeTable from {inventory}: nothing in inventory_function/ calls it.",
        (
            f"Add lambda:InvokeFunction to {hook}: hook.py, line N calls it. Write "
            "`- Statement: [{Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt NAME.Arn}]`."
        ),
        f"Remove lambda:InvokeAsync from {hook}: nothing in pre_traffic_check/ calls it.",
    ]


def test_what_is_to_be_added_names_the_first_resource_that_it_can_be_about(small: Small) -> None:
    two_tables = SMALL.replace("Items: ", "Carts: {Type: AWS::Serverless::SimpleTable}\n  Items: ")
    (sentence,) = small("", template=two_tables)
    assert sentence == (
        "Add dynamodb:Scan to the Policies of Reader in template.yaml: h.py, line 2 calls it. Write "
        "`- Statement: [{Effect: Allow, Action: dynamodb:Scan, Resource: !GetAtt Carts.Arn}]`."
    )


def test_an_action_that_no_call_explains_can_be_justified(small: Small) -> None:
    justified = dataclasses.replace(LOGS, actions={("Reader", "dynamodb:Query"): "its backing service asks for it"})
    assert small(allowing("dynamodb:Scan", "dynamodb:Query"), justified=justified) == []


@pytest.mark.parametrize(
    ("function", "action", "reason"),
    [
        ("Reader", "dynamodb:Query", "its policy does not allow it"),
        ("Reader", "dynamodb:Scan", "h.py, line 2 calls it"),
        ("OldFunction", "dynamodb:Scan", "there is no such function"),
    ],
)
def test_an_exception_that_is_none_any_more_is_stale(small: Small, function: str, action: str, reason: str) -> None:
    stale = dataclasses.replace(LOGS, actions={(function, action): "it was so once"})
    assert small(allowing("dynamodb:Scan"), justified=stale) == [
        f"Strike {action} of {function} off the exceptions: {reason}."
    ]


def test_a_managed_policy_that_nobody_has_is_stale(small: Small) -> None:
    stale = dataclasses.replace(LOGS, managed_policies={**LOGS.managed_policies, "Old": "it was so once"})
    assert small(allowing("dynamodb:Scan"), justified=stale) == ["Strike Old off the exceptions: no function has it."]


def test_a_managed_policy_needs_a_reason(small: Small) -> None:
    assert small(f"{allowing('dynamodb:Scan')}, AmazonS3FullAccess") == [
        (
            "Write the statements that Reader needs in the Policies of Reader in template.yaml instead of "
            "AmazonS3FullAccess, or justify the exception."
        )
    ]


def test_sams_policy_templates_may_allow_more_than_is_called(small: Small) -> None:
    assert small("{DynamoDBReadPolicy: {TableName: !Ref Items}}") == []


def test_a_policy_template_of_which_nothing_is_called_is_to_go(small: Small) -> None:
    assert small(f"{{SQSPollerPolicy: {{QueueName: x}}}}, {allowing('dynamodb:Scan')}") == [
        "Remove SQSPollerPolicy from the Policies of Reader in template.yaml: nothing in code/ calls what it allows."
    ]


def test_what_sam_gives_the_consumer_of_a_queue_needs_no_reason(small: Small) -> None:
    consumer = (
        SMALL
        + """      Events: {Job: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}}
  Jobs: {Type: AWS::SQS::Queue}
"""
    )
    assert small(allowing("dynamodb:Scan"), template=consumer) == []


def test_a_policy_of_its_own_that_is_attached_counts(small: Small) -> None:
    attached = f"""
  Attached:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref ReaderRole]
      PolicyDocument: {allowing("dynamodb:Scan")}
"""
    assert small("", template=SMALL + attached) == []


@pytest.mark.parametrize("pattern", ["dynamodb:*", "dynamodb:Sca?", "*"])
def test_a_pattern_is_to_be_written_out(small: Small, pattern: str) -> None:
    assert small(allowing(pattern)) == [
        f"Name the actions that {pattern} stands for in the Policies of Reader in template.yaml."
    ]


def test_letters_of_an_action_may_be_of_either_case(small: Small) -> None:
    assert small(allowing("DynamoDB:scan")) == []


def test_a_call_that_cannot_be_read_is_no_permission(small: Small) -> None:
    code = 'import boto3\nboto3.client("dynamodb").transact_write_items(TransactItems=items)\n'
    (sentence,) = small(allowing("dynamodb:PutItem"), code)
    assert sentence.startswith("Reader: h.py, line 2: transact_write_items cannot be audited: spell out TransactItems")


def test_a_function_that_the_parameters_leave_out_is_named(small: Small) -> None:
    nothing = Exceptions({}, {})
    assert small(allowing("dynamodb:Scan"), justified=nothing, parameters={"IsOn": "false"}) == [
        "Read template.yaml with a parameter that brings Reader about, or its permissions stay unseen."
    ]


def test_a_role_from_elsewhere_is_named(small: Small) -> None:
    given = SMALL.replace("Policies: [POLICIES]", "Role: arn:aws:iam::000000000000:role/theirs")
    assert small("", justified=Exceptions({}, {}), template=given) == [
        "Give Reader a role that template.yaml declares, or its permissions stay unseen."
    ]
