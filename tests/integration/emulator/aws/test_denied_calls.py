"""An action taken out of the template: the route fails with AWS's AccessDenied, and the emulator says what is missing.

The template is applied to an emulator as `make up` starts it; each handler runs in a process of its own, with the
variables and the role that the emulator gives its function.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator import status_view
from emulator.aws.stack import Stack
from emulator.commands import background
from emulator.control import ask
from emulator.errors import EmulatorError
from emulator.project.paths import STATE_FOLDER_VARIABLE, RunningEmulator, StatePaths
from sam_template import Template
from sam_template.repository import REGION, REPOSITORY, TEMPLATE
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.shop import PROJECT

SOURCE = TEMPLATE.read_text()
INVENTORY, SHOPBOT = "InventoryFunction", "ShopbotFunction"
HANDLERS = {INVENTORY: ("inventory_function", "app.lambda_handler"), SHOPBOT: ("shopbot_function", "lambda_handler")}
CALL = """
import importlib, json, sys
answer = importlib.import_module(sys.argv[1]).lambda_handler(json.load(sys.stdin), None)
print(json.dumps([answer["statusCode"], answer["body"]]))
"""
ITEM = {"sku": "REFUSED-CALLS", "name": "Refused calls", "qty": 1}


LATE_ANSWERS = 5


@dataclass(frozen=True)
class Answer:
    """`shown` is the body, and what the handler logged."""

    status: int
    shown: str


@dataclass(frozen=True)
class Emulator:
    paths: StatePaths
    running: RunningEmulator
    folder: Path

    def apply(self, template: str) -> Stack:
        """Bring what is emulated to what the text `template` declares."""
        path = self.folder / "template.yaml"
        path.write_text(template)
        stack = Stack(Template.load(path), self.running.endpoint, name="shop-local", declaration=PROJECT.declaration)
        stack.create()
        return stack

    def send(self, template: str, case: Case) -> Answer:
        """Return what the handler answers to the request of `case` under the text `template`."""
        method, _, path = case.request.partition(" ")
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "shop.example", "content-type": "application/json"},
            "requestContext": {"http": {"method": method, "path": path}, "requestId": "id-1", "stage": "$default"},
            "body": json.dumps(case.body),
            "isBase64Encoded": False,
        }
        folder, module = HANDLERS[case.function]
        variables = json.loads(self.paths.sam_environment.read_text())[case.function]
        credentials = self.apply(template).role_credentials(case.function).environment()
        done = subprocess.run(
            [sys.executable, "-c", CALL, module],
            cwd=REPOSITORY / folder,
            env={**variables, **credentials, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION},
            input=json.dumps(event),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        *log, answer = done.stdout.splitlines()
        status, shown = json.loads(answer)
        return Answer(status, "\n".join([shown, *log]))

    def says(self, case: Case) -> list[str]:
        """Return the lines of the emulator's log on the action of `case`."""
        lines = self.paths.log.read_text().splitlines()
        return [line for line in lines if line.startswith(f"{case.function} may not call {case.action} on ")]

    def status(self) -> Any:
        return asyncio.run(ask(self.running, "status"))


@pytest.fixture
def emulator(paths: StatePaths, running: RunningEmulator, tmp_path: Path) -> Iterator[Emulator]:
    yield Emulator(paths, running, tmp_path)
    asyncio.run(ask(running, "reset"))  # the roles as well


@pytest.fixture(scope="module")
def without_iam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that was started with ENFORCE_IAM=off."""
    paths = StatePaths(tmp_path_factory.mktemp("without-iam"))
    with pytest.MonkeyPatch.context() as patch:
        for name in NAME_OTHER_BACKING_SERVICES:
            patch.delenv(name, raising=False)
        patch.setenv(STATE_FOLDER_VARIABLE, str(paths.folder))
        patch.setenv("ENFORCE_IAM", "off")
        running = background.up(PROJECT, paths)
    yield Emulator(paths, running, tmp_path_factory.mktemp("template"))
    background.down(paths)


def less(function: str, old: str, new: str) -> str:
    """Return the template with `new` in place of the first `old` of the declaration of `function`."""
    before, name, after = SOURCE.partition(f"\n  {function}:\n")
    assert old in after
    return before + name + after.replace(old, new, 1)


def more(template: str, function: str, statement: str) -> str:
    """Return the template with `statement` pasted into the policies of `function`."""
    before, name, after = template.partition(f"\n  {function}:\n")
    head, heading, statements = after.partition("          Statement:\n")
    assert heading
    return "".join((before, name, head, heading, f"            - {statement}\n", statements))


@dataclass(frozen=True)
class Case:
    """An action that is taken out, the request that needs it, and what is said then."""

    function: str
    action: str
    declared: str
    instead: str
    request: str
    body: Any
    allowed: int
    refused: int
    shown: str
    resource: str
    statement: str

    @property
    def template(self) -> str:
        return less(self.function, self.declared, self.instead)


TABLE = r"arn:aws:dynamodb:us-east-1:\d+:table/shop-local-ShopInventory-\w+"
CREATION = Case(
    INVENTORY,
    "dynamodb:PutItem",
    "Action: [dynamodb:PutItem, dynamodb:UpdateItem,",
    "Action: [dynamodb:UpdateItem,",
    *("POST /inventory", ITEM, 201, 500),
    r"\(AccessDeniedException\) when calling the PutItem operation.*: User: \S+/InventoryFunction is not authorized",
    TABLE,
    "{Sid: PutItemOnShopInventory, Effect: Allow, Action: dynamodb:PutItem, Resource: !GetAtt ShopInventory.Arn}",
)
DOWNLOAD = Case(
    INVENTORY,
    "s3:GetObject",
    "Action: s3:GetObject\n",
    "Action: s3:GetObjectAttributes\n",
    *("GET /file/download/sample.txt", None, 200, 500),
    r"\(403\) when calling the HeadObject operation.*: Forbidden",
    r"arn:aws:s3:::shop-local-databucket-\w+/sample\.txt",
    '{Sid: GetObjectOnDataBucket, Effect: Allow, Action: s3:GetObject, Resource: !Sub "${DataBucket.Arn}/*"}',
)
STOCK = Case(
    SHOPBOT,
    "dynamodb:BatchGetItem",
    "Action: dynamodb:BatchGetItem\n",
    "Action: dynamodb:GetItem\n",
    *("GET /health/ready", None, 200, 200),  # stock is not required: the answer says that it is missing
    r'"dynamodb":\{"status":"down",.*"reason":"AccessDeniedException"',
    TABLE,
    "{Sid: BatchGetItemOnShopInventory, Effect: Allow, Action: dynamodb:BatchGetItem, "
    "Resource: !GetAtt ShopInventory.Arn}",
)
CHAT = Case(
    SHOPBOT,
    "secretsmanager:GetSecretValue",
    "Action: secretsmanager:GetSecretValue\n",
    "Action: secretsmanager:DescribeSecret\n",
    *("POST /chat", {"user_id": "refused-calls", "message": "vegan chips under 100 rupees"}, 200, 503),
    "The secret could not be read",
    r"arn:aws:secretsmanager:us-east-1:\d+:secret:shop-local-ShopSecret-\S+",
    "{Sid: GetSecretValueOnShopSecret, Effect: Allow, Action: secretsmanager:GetSecretValue, "
    "Resource: !Ref ShopSecret}",
)


def answer_of(emulator: Emulator, template: str, case: Case, status: int) -> Answer:
    """Return the answer, which should have `status`. When it is 503, because a backing service was late, ask again."""
    for _ in range(LATE_ANSWERS):
        answer = emulator.send(template, case)
        if answer.status == status or answer.status != 503:
            break
    return answer


@pytest.mark.parametrize("case", [CREATION, DOWNLOAD, STOCK, CHAT], ids=lambda case: str(case.action))
def test_the_route_fails_and_the_log_names_the_statement_that_mends_it(emulator: Emulator, case: Case) -> None:
    answer = answer_of(emulator, case.template, case, case.refused)
    assert answer.status == case.refused
    assert re.search(case.shown, answer.shown)
    (sentence,) = emulator.says(case)
    assert re.fullmatch(
        rf"{case.function} may not call {case.action} on {case.resource}; its Policies in template\.yaml lack "
        + re.escape(case.statement),
        sentence,
    )
    assert any(line.startswith(sentence) for line in emulator.status()["denied_calls"])

    mended = more(case.template, case.function, case.statement)
    answer = answer_of(emulator, mended, case, case.allowed)
    assert answer.status == case.allowed
    assert not re.search(case.shown, answer.shown)
    assert emulator.says(case) == [sentence]


@pytest.mark.parametrize("case", [DOWNLOAD, CHAT], ids=lambda case: str(case.function))
def test_without_enforcement_the_same_call_succeeds(without_iam: Emulator, case: Case) -> None:
    assert without_iam.send(case.template, case).status == case.allowed
    assert without_iam.says(case) == []


def test_the_status_says_whether_iam_is_enforced(emulator: Emulator, without_iam: Emulator) -> None:
    assert re.search(r"^  IAM +enforced ", status_view.render(emulator.status()), re.MULTILINE)
    assert re.search(r"^  IAM +OFF +every call is allowed", status_view.render(without_iam.status()), re.MULTILINE)


def test_what_enforce_iam_cannot_be_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STATE_FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("ENFORCE_IAM", "maybe")
    with pytest.raises(EmulatorError) as refused:
        background.up(PROJECT, StatePaths(tmp_path))
    assert str(refused.value) == (
        "ENFORCE_IAM=maybe is unknown: choose off to allow every call, or leave ENFORCE_IAM away to let the "
        "template's policies decide."
    )
