"""The workflows deploy nothing untested, run no code that moves, and hand nobody more than a job needs."""

from __future__ import annotations

import copy
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
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


PIPELINE, DEPLOY, PROMOTE, CLOSED = map(read, ("pipeline.yml", "deploy.yml", "promote.yml", "closed.yml"))
ALL = {path.name: read(path.name) for path in sorted(WORKFLOWS.glob("*.yml"))}


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
    for workflow in ALL.values():
        for job in workflow["jobs"].values():
            yield from job.get("steps", [])


def triggers(workflow: Mapping[Any, Any]) -> Any:
    return workflow[True]  # YAML 1.1 reads `on` as true


def test_nothing_reaches_aws_before_the_tests() -> None:
    assert unproven(PIPELINE) == set()
    hasty = copy.deepcopy(PIPELINE)
    del hasty["jobs"]["build"]["needs"], hasty["jobs"]["preview"]["needs"]
    assert unproven(hasty) == {"preview", "stack"}


def test_staging_follows_a_push_to_main() -> None:
    job = PIPELINE["jobs"]["staging"]
    assert job["if"] == "github.event_name == 'push'"
    assert triggers(PIPELINE)["push"] == {"branches": ["main"]}
    assert job["with"] == {"stage": "staging"}
    assert read_stage("staging").name == "staging"


def test_production_is_what_a_person_asks_for_on_every_plan() -> None:
    """Required reviewers of a private repository need GitHub Enterprise; elsewhere no rule would hold it back."""
    to_prod = {
        name: job["with"]
        for name, workflow in ALL.items()
        for job in workflow["jobs"].values()
        if job.get("with", {}).get("stage") == "prod"
    }
    assert set(to_prod) == {"promote.yml"}
    assert list(triggers(PROMOTE)) == ["workflow_dispatch"]
    assert read_stage("prod").name == "prod"


def test_what_is_promoted_was_verified_in_staging_and_is_deployed_as_it_was_built() -> None:
    (choose,) = PROMOTE["jobs"]["choose"]["steps"]
    for limit in ("--workflow pipeline.yml", "--branch main", "--event push", "--status success"):
        assert limit in choose["run"]
    prod = PROMOTE["jobs"]["prod"]
    assert prod["needs"] == "choose"
    assert (prod["with"]["run"], prod["with"]["commit"]) == (
        "${{ needs.choose.outputs.run }}",
        "${{ needs.choose.outputs.commit }}",
    )
    download = next(step for step in DEPLOY["jobs"]["deploy"]["steps"] if "download-artifact" in step.get("uses", ""))
    assert download["with"]["run-id"] == "${{ inputs.run }}"


@pytest.mark.parametrize(
    ("asked", "chosen"), [("", "3 " + "c" * 40), ("2", "2 " + "b" * 40), ("1", ""), ("..", ""), ("2|3", "")]
)
def test_the_run_that_was_asked_for_is_chosen_or_the_newest(tmp_path: Path, asked: str, chosen: str) -> None:
    (choose,) = PROMOTE["jobs"]["choose"]["steps"]
    gh = tmp_path / "gh"
    gh.write_text(f"#!/bin/sh\nprintf '3 {'c' * 40}\\n2 {'b' * 40}\\n'\n")
    gh.chmod(0o755)
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.touch()
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    ran = subprocess.run(
        ["bash", "-e", "-c", choose["run"]], env={**variables, "ASKED": asked}, check=False, capture_output=True
    )
    assert ran.returncode == (0 if chosen else 1)
    run, _, commit = chosen.partition(" ")
    assert output.read_text() == (f"run={run}\ncommit={commit}\n" if chosen else "")


def test_which_commit_is_older_can_be_told() -> None:
    checkout = DEPLOY["jobs"]["deploy"]["steps"][0]
    assert checkout["with"]["fetch-depth"] == 0
    assert checkout["with"]["ref"] == "${{ inputs.commit }}"


def test_the_region_is_that_of_samconfig() -> None:
    configured = [step for step in steps() if "configure-aws-credentials" in step.get("uses", "")]
    assert configured
    assert {step["with"]["aws-region"] for step in configured} == {"${{ steps.stage.outputs.region }}"}


def test_a_deployment_waits_for_its_environment_and_for_the_one_before() -> None:
    job = DEPLOY["jobs"]["deploy"]
    assert job["environment"] == "${{ inputs.stage }}"
    assert job["concurrency"] == {"group": "deploy-${{ inputs.stage }}", "cancel-in-progress": False}


def test_a_smoke_test_that_fails_is_followed_by_a_rollback() -> None:
    commands = [(step.get("id"), step.get("run", ""), step.get("if")) for step in DEPLOY["jobs"]["deploy"]["steps"]][
        -3:
    ]
    assert commands == [
        (None, 'make release STAGE="$STAGE" OLDER="$OLDER"', None),
        ("smoke", 'make verify STAGE="$STAGE"', None),
        (None, 'make rollback STAGE="$STAGE"', "failure() && steps.smoke.outcome == 'failure'"),
    ]


@pytest.mark.parametrize("job", [PIPELINE["jobs"]["preview"], PIPELINE["jobs"]["stack"], CLOSED["jobs"]["remove"]])
def test_a_fork_gets_neither_a_preview_nor_a_stack(job: Mapping[str, Any]) -> None:
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert "github.event.pull_request.user.login != 'dependabot[bot]'" in job["if"]


def test_a_pull_requests_stack_is_deployed_verified_and_removed() -> None:
    job = PIPELINE["jobs"]["stack"]
    assert "github.event_name == 'pull_request'" in job["if"]
    commands = [(step["run"], step.get("if")) for step in job["steps"] if "make" in step.get("run", "")]
    assert commands == [
        ("make setup", None),
        ('make remove STAGE="$STAGE"', None),
        ('make release STAGE="$STAGE"', None),
        ('make verify STAGE="$STAGE"', None),
        ('make remove STAGE="$STAGE"', "always() && steps.deploy.outcome != 'skipped'"),
    ]
    deploy = next(step for step in job["steps"] if step.get("run", "").startswith("make release"))
    assert deploy["id"] == "deploy"


def test_what_a_closed_pull_request_left_is_removed() -> None:
    remove, stack = CLOSED["jobs"]["remove"], PIPELINE["jobs"]["stack"]
    assert triggers(CLOSED) == {"pull_request": {"types": ["closed"]}}
    assert remove["steps"][-1]["run"] == 'make remove STAGE="$STAGE"'
    assert remove["env"] == stack["env"]
    assert CLOSED["concurrency"] == stack["concurrency"], "it waits for a run that still uses the stack"


def test_a_pull_requests_stack_has_a_name_of_its_own_and_a_role_that_ends_there() -> None:
    for job in (PIPELINE["jobs"]["stack"], CLOSED["jobs"]["remove"]):
        name = job["env"]["STAGE"].replace("${{ github.event.pull_request.number }}", "99999")
        assert read_stage(name).is_own
        assert job["environment"] == "development", "the role trusts it alone"
        assert "vars.DEVELOPMENT_STACKS == 'true'" in job["if"], "where there is no account for it, nothing goes red"


def test_every_action_is_pinned_by_its_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [name for name in used if not PINNED.fullmatch(name)] == []
    text = "".join((WORKFLOWS / name).read_text() for name in ALL)
    assert len(VERSIONED.findall(text)) == len(used), "a commit without its version says nothing to a reader"


def test_no_step_runs_text_that_somebody_else_wrote() -> None:
    assert [step["run"] for step in steps() if "${{" in step.get("run", "")] == []


def test_no_checkout_keeps_a_token() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("workflow", ALL.values(), ids=ALL)
def test_every_job_has_an_end_and_asks_for_what_it_needs(workflow: Mapping[str, Any]) -> None:
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 120, name
        assert set(job["permissions"]) <= {"actions", "contents", "id-token", "security-events"}, name
        assert {kind for what, kind in job["permissions"].items() if what not in ("id-token", "security-events")} == {
            "read"
        }, name


def test_the_package_is_built_once_and_taken_everywhere() -> None:
    package = {"name": "package", "path": ".aws-sam/deployment"}
    stored = [step["with"] for step in steps() if "/upload-artifact@" in step.get("uses", "")]
    taken = [step["with"] for step in steps() if "/download-artifact@" in step.get("uses", "")]
    assert [each["name"] for each in stored] == ["package", "sbom"]
    assert stored[0].items() >= {**package, "include-hidden-files": True}.items()
    assert [{name: each[name] for name in package} for each in taken] == [package] * 3
    assert sum("make package" in step.get("run", "") for step in steps()) == 1


def test_what_a_package_contains_is_stored_with_it() -> None:
    build = PIPELINE["jobs"]["build"]["steps"]
    commands = [step.get("run") or step["with"].get("name") for step in build]
    assert commands[-4:] == ["make package", "package", "make sbom", "sbom"]
    kept = [step["with"]["retention-days"] for step in build if "/upload-artifact@" in step.get("uses", "")]
    assert kept == [90, 90], "the list of a package's contents stays as long as the package"


def test_the_workflows_name_tasks_that_exist() -> None:
    targets = re.findall(r"^([a-z ]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    called = {
        word for step in steps() for line in re.findall(r"make ([a-z ]+)", step.get("run", "")) for word in line.split()
    }
    assert called <= {name for names in targets for name in names.split()}


def test_newer_versions_are_proposed_of_all_that_is_pinned() -> None:
    proposed = yaml.safe_load((REPOSITORY / ".github" / "dependabot.yml").read_text())["updates"]
    assert {each["package-ecosystem"] for each in proposed} == {"github-actions", "uv", "pip"}
    files = [*REPOSITORY.glob("*/requirements.txt"), *REPOSITORY.glob("emulator/*/requirements.txt")]
    locked = [f"/{path.parent.relative_to(REPOSITORY)}" for path in files if "==" in path.read_text()]
    named = [folder for each in proposed if each["package-ecosystem"] == "pip" for folder in each["directories"]]
    assert sorted(named) == sorted(locked)
    assert all(each["cooldown"]["default-days"] >= 7 for each in proposed)


def test_no_job_reports_to_github_and_acts_in_aws() -> None:
    for workflow in ALL.values():
        for name, job in workflow["jobs"].items():
            assert not {"security-events", "id-token"} <= set(job["permissions"]), name
