"""The workflows deploy nothing untested, run no code that moves, and hand nobody more than a job needs."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from pipeline.stages import read_stage
from sam_template.repository import REPOSITORY

WORKFLOWS = REPOSITORY / ".github" / "workflows"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
VERSIONED = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", re.MULTILINE)


def read(name: str) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return document


PIPELINE, DEPLOY = read("pipeline.yml"), read("deploy.yml")


def before(jobs: Mapping[str, Any], name: str) -> set[str]:
    """Return the jobs that have to succeed before job `name` starts."""
    needs = jobs[name].get("needs", [])
    named = {needs} if isinstance(needs, str) else set(needs)
    return named.union(*(before(jobs, other) for other in named)) if named else named


def unproven(workflow: Mapping[str, Any]) -> set[str]:
    """Return the jobs that may act in AWS without the tests and the build before them."""
    jobs = workflow["jobs"]
    acting = {name for name, job in jobs.items() if job.get("permissions", {}).get("id-token")}
    return {name for name in acting if not {"check", "build"} <= before(jobs, name)}


def steps() -> Iterator[Mapping[str, Any]]:
    for workflow in (PIPELINE, DEPLOY):
        for job in workflow["jobs"].values():
            yield from job.get("steps", [])


def test_nothing_reaches_aws_before_the_tests() -> None:
    assert unproven(PIPELINE) == set()
    hasty = copy.deepcopy(PIPELINE)
    del hasty["jobs"]["build"]["needs"], hasty["jobs"]["preview"]["needs"]
    assert unproven(hasty) == {"preview"}


def test_production_follows_staging_and_both_follow_a_push_to_main() -> None:
    jobs = PIPELINE["jobs"]
    assert "staging" in before(jobs, "prod")
    for name in ("staging", "prod"):
        assert jobs[name]["if"] == "github.event_name == 'push'"
        assert jobs[name]["with"] == {"stage": name}
        assert read_stage(name).name == name
    assert PIPELINE[True]["push"] == {"branches": ["main"]}  # YAML 1.1 reads `on` as true


def test_a_deployment_waits_for_its_environment_and_for_the_one_before() -> None:
    job = DEPLOY["jobs"]["deploy"]
    assert job["environment"] == "${{ inputs.stage }}"
    assert job["concurrency"] == {"group": "deploy-${{ inputs.stage }}", "cancel-in-progress": False}


def test_a_smoke_test_that_fails_is_followed_by_a_rollback() -> None:
    commands = [(step.get("id"), step.get("run", ""), step.get("if")) for step in DEPLOY["jobs"]["deploy"]["steps"]][
        -3:
    ]
    assert commands == [
        (None, 'make release STAGE="$STAGE"', None),
        ("smoke", 'make verify STAGE="$STAGE"', None),
        (None, 'make rollback STAGE="$STAGE"', "failure() && steps.smoke.outcome == 'failure'"),
    ]


def test_a_fork_gets_no_preview() -> None:
    assert "github.event.pull_request.head.repo.full_name == github.repository" in PIPELINE["jobs"]["preview"]["if"]


def test_every_action_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [name for name in used if not PINNED.fullmatch(name)] == []
    text = "".join((WORKFLOWS / name).read_text() for name in ("pipeline.yml", "deploy.yml"))
    assert len(VERSIONED.findall(text)) == len(used), "a commit without its version says nothing to a reader"


def test_no_step_runs_text_that_somebody_else_wrote() -> None:
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_no_checkout_keeps_a_token() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("workflow", [PIPELINE, DEPLOY], ids=["pipeline", "deploy"])
def test_every_job_has_an_end_and_asks_for_what_it_needs(workflow: Mapping[str, Any]) -> None:
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 120, name
        assert set(job["permissions"]) <= {"contents", "id-token"}, name
        assert job["permissions"]["contents"] == "read", name


def test_the_package_is_built_once_and_taken_everywhere() -> None:
    package = {"name": "package", "path": ".aws-sam/deployment"}
    stored = [step["with"] for step in steps() if "/upload-artifact@" in step.get("uses", "")]
    taken = [step["with"] for step in steps() if "/download-artifact@" in step.get("uses", "")]
    assert len(stored) == 1
    assert stored[0].items() >= {**package, "include-hidden-files": True}.items()
    assert taken == [package, package]
    assert sum("make package" in step.get("run", "") for step in steps()) == 1


def test_the_workflows_name_the_stages_region_and_tasks_that_exist() -> None:
    regions = {step["with"]["aws-region"] for step in steps() if "/configure-aws-credentials@" in step.get("uses", "")}
    assert regions == {read_stage("staging").region} == {read_stage("prod").region}
    targets = re.findall(r"^([a-z ]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    called = {
        word for step in steps() for line in re.findall(r"make ([a-z ]+)", step.get("run", "")) for word in line.split()
    }
    assert called <= {name for names in targets for name in names.split()}
