"""A preview names what a deployment would change, what could lose data first, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import change_set
from pipeline.change_set import change_table, preview
from pipeline.stages import DeploymentError, Stage
from tests.unit.pipeline.test_stages import NoStacks

STAGE = Stage("staging", "shop-staging", "us-east-1", {})
CHANGE_SET = "arn:aws:cloudformation:us-east-1:000000000000:changeSet/samcli-deploy1/0"


def change(action: str, name: str, **more: str) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::DynamoDB::Table", **more}


class Account:
    """CloudFormation with the stage's stacks, and a change set of two pages."""

    def __init__(self, *statuses: str) -> None:
        self.deleted: list[str] = []
        self._statuses = list(statuses)

    def __call__(self, service: str) -> Account:
        assert service == "cloudformation"
        return self

    def describe_stacks(self, **_: str) -> Any:
        outputs = {"ArtifactBucketName": "packages", "ExecutionRoleArn": "arn:execution"}
        listed = [{"OutputKey": key, "OutputValue": text} for key, text in outputs.items()]
        status = self._statuses.pop(0) if self._statuses else "UPDATE_COMPLETE"
        return {"Stacks": [{"StackStatus": status, "Outputs": listed}]}

    def get_paginator(self, operation: str) -> Account:
        assert operation == "describe_change_set"
        return self

    def paginate(self, *, ChangeSetName: str) -> Iterator[Any]:  # noqa: N803 (boto3's name)
        assert ChangeSetName == CHANGE_SET
        for name in ("First", "Second"):
            yield {"Changes": [{"ResourceChange": change("Add", name)}]}

    def delete_change_set(self, *, ChangeSetName: str) -> None:  # noqa: N803
        self.deleted.append(ChangeSetName)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "template.yaml"
    package.touch()
    monkeypatch.setattr(change_set, "PACKAGE", package)
    return package


@pytest.fixture
def sam(monkeypatch: pytest.MonkeyPatch, package: Path) -> subprocess.CompletedProcess[str]:
    """What `sam deploy` does; it keeps the command line that it got."""
    result = subprocess.CompletedProcess([], 0, f"Changeset created successfully. {CHANGE_SET}\n\n", "")

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        result.args = command
        return result

    monkeypatch.setattr(subprocess, "run", run)
    return result


def test_every_page_is_shown_and_the_change_set_deleted(sam: subprocess.CompletedProcess[str]) -> None:
    account = Account()
    said = preview(STAGE, account)
    assert [line.split(" | ")[1] for line in said.splitlines()[4:]] == ["First", "Second"]
    assert account.deleted == [CHANGE_SET]
    assert sam.args[-5:] == ["--no-execute-changeset", "--s3-bucket", "packages", "--s3-prefix", "preview"]


def test_a_change_set_that_cannot_be_read_is_deleted_all_the_same(
    sam: subprocess.CompletedProcess[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account()
    monkeypatch.setattr(account, "paginate", lambda **_: iter([{}]))
    with pytest.raises(KeyError):
        preview(STAGE, account)
    assert account.deleted == [CHANGE_SET]


def test_sam_finds_no_change(sam: subprocess.CompletedProcess[str]) -> None:
    sam.stdout = "No changes to deploy. Stack shop-staging is up to date\n"
    assert preview(STAGE, Account()) == "Nothing changes in shop-staging.\n"


def test_sam_that_fails_is_quoted(sam: subprocess.CompletedProcess[str]) -> None:
    sam.returncode, sam.stdout, sam.stderr = 1, "Uploading\n", "Error: no such bucket\n"
    with pytest.raises(DeploymentError, match="sam made no change set:\nUploading\nError: no such bucket"):
        preview(STAGE, Account())


def test_a_stack_that_is_being_changed_is_waited_for(
    sam: subprocess.CompletedProcess[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    assert "| First |" in preview(STAGE, Account("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
    assert waited == [15, 15]


def test_a_change_that_lasts_is_said_and_is_no_failure(
    sam: subprocess.CompletedProcess[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    said = preview(STAGE, Account(*["UPDATE_IN_PROGRESS"] * 30))
    assert said.startswith("There is no preview: shop-staging is being changed.")
    assert sam.args == []


def test_a_change_that_begins_meanwhile_is_no_failure(sam: subprocess.CompletedProcess[str]) -> None:
    sam.returncode = 1
    said = preview(STAGE, Account("UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"))
    assert said.startswith("There is no preview: shop-staging is being changed.")


def test_a_stack_that_is_not_there_yet_is_made_whole(package: Path) -> None:
    assert preview(STAGE, lambda _: NoStacks()).startswith("There is no stack shop-staging yet: ")


def test_a_preview_without_a_package_says_how_to_make_one(package: Path) -> None:
    package.unlink()
    with pytest.raises(DeploymentError, match="`make package`"):
        preview(STAGE, Account())


def test_what_is_replaced_or_removed_comes_first() -> None:
    table = change_table(
        "shop-staging",
        [
            change("Add", "Added"),
            change("Modify", "Kept", Replacement="False"),
            change("Modify", "Replaced", Replacement="True"),
            change("Modify", "Perhaps", Replacement="Conditional"),
            change("Remove", "Removed"),
        ],
    )
    rows = [line.split(" | ")[1] for line in table.splitlines()[4:]]
    assert rows == ["Perhaps", "Removed", "Replaced", "Added", "Kept"]


def test_no_change_is_a_sentence() -> None:
    assert change_table("shop-staging", []) == "Nothing changes in shop-staging.\n"
