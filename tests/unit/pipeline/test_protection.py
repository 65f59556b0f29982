"""Production's stack cannot be deleted, its data not be replaced, and what was changed by hand is told."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import protection
from pipeline.protection import DATA, drift, protect, stack_policy
from pipeline.resolved_template import resolve
from pipeline.stages import DeploymentError, Stage
from sam_template.repository import TEMPLATE

STAGE = Stage("staging", "shop-staging", "us-east-1", {})


class CloudFormation:
    """A stack whose drift is told after some polls."""

    def __init__(self, *statuses: str, drifts: list[dict[str, Any]] | None = None) -> None:
        self._statuses = list(statuses)
        self._drifts = drifts or []

    def detect_stack_drift(self, **_: str) -> Any:
        return {"StackDriftDetectionId": "1"}

    def describe_stack_drift_detection_status(self, **_: str) -> Any:
        return {"DetectionStatus": self._statuses.pop(0)}

    def describe_stack_resource_drifts(self, **_: Any) -> Any:
        return {"StackResourceDrifts": self._drifts}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "_POLL_SECONDS", 0)


def test_the_policy_covers_all_that_production_retains() -> None:
    kept = {
        name
        for name, resource in resolve(TEMPLATE)["Resources"].items()
        if resource.get("UpdateReplacePolicy") == "Retain" and resource["Type"] != "AWS::Lambda::Version"
    }
    assert kept == set(DATA)
    (_, denied) = stack_policy()["Statement"]
    assert denied["Resource"] == [f"LogicalResourceId/{name}" for name in DATA]


def test_a_stage_that_may_go_is_left_alone() -> None:
    protect(STAGE, cloudformation=None)


def test_what_was_changed_by_hand_is_a_table() -> None:
    change = {"PropertyPath": "/MemorySize"}
    drifts = [
        {
            "LogicalResourceId": "InventoryFunction",
            "ResourceType": "AWS::Lambda::Function",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [change],
        }
    ]
    said = drift(STAGE, CloudFormation("DETECTION_IN_PROGRESS", "DETECTION_COMPLETE", drifts=drifts))
    assert said.splitlines()[-1] == "| InventoryFunction | AWS::Lambda::Function | MODIFIED | /MemorySize |"


def test_no_drift_is_a_sentence_and_a_failure_is_an_error() -> None:
    assert drift(STAGE, CloudFormation("DETECTION_COMPLETE")) == "Nothing in shop-staging was changed by hand.\n"
    with pytest.raises(DeploymentError, match="could not be told"):
        drift(STAGE, CloudFormation("DETECTION_FAILED"))
