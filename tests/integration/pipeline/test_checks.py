"""Each check of `make validate` objects to what it is there for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline import resolved_template
from sam_template.repository import REPOSITORY, TEMPLATE

CHECKS = REPOSITORY / ".local" / "checks" / "bin"

WORKFLOW = """
name: broken
on: issues
permissions: {}
jobs:
  greet:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v6
      - run: echo ${{ github.event.issue.title }}
  later:
    needs: gret
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ github.repositry }}
"""


def broken_template(*replacements: tuple[str, str]) -> str:
    text = TEMPLATE.read_text()
    for old, new in replacements:
        assert old in text, "the template has changed: break it elsewhere"
        text = text.replace(old, new, 1)
    return text


def objections(*command: str | Path) -> str:
    """Run a check that has to fail, and return what it said."""
    environment = {**os.environ, "PATH": f"{CHECKS}:{os.environ['PATH']}", "AWS_DEFAULT_REGION": "us-east-1"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY, env=environment)
    assert run.returncode, f"{command[0]} found nothing"
    return run.stdout + run.stderr


def test_sam_validate_finds_what_cfn_lint_does_a_property_that_does_not_exist(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text(broken_template(("BillingMode: PAY_PER_REQUEST", "BillingMod: PAY_PER_REQUEST")))
    said = objections(REPOSITORY / ".venv/bin/sam", "validate", "--lint", "--template-file", broken)
    assert "E3002" in said
    assert "BillingMod" in said


def test_cfn_lint_finds_a_property_that_does_not_exist(tmp_path: Path) -> None:
    broken = tmp_path / "bootstrap.yaml"
    bootstrap = (REPOSITORY / "pipeline" / "bootstrap.yaml").read_text()
    assert "MaxSessionDuration: 7200" in bootstrap
    broken.write_text(bootstrap.replace("MaxSessionDuration: 7200", "MaximumSessionDuration: 7200", 1))
    assert "MaximumSessionDuration" in objections(REPOSITORY / ".venv/bin/cfn-lint", broken)


def test_checkov_finds_an_open_bucket_and_a_role_that_may_do_everything(tmp_path: Path) -> None:
    broken = tmp_path / "template.yaml"
    opened = ("BlockPublicAcls: true", "BlockPublicAcls: false")
    stock = "            - Sid: ReadStock\n              Effect: Allow\n"
    everything = (stock, f'            - {{Sid: Everything, Effect: Allow, Action: "*", Resource: "*"}}\n{stock}')
    broken.write_text(broken_template(opened, everything))
    deployed = tmp_path / "template.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        deployed.write_text(resolved_template.as_text(broken))

    said = objections(CHECKS / "checkov", "--file", deployed)

    assert "CKV_AWS_53" in said, "public ACLs"
    assert "AWS::IAM::Role.ShopbotFunctionRole" in said, "SAM makes it of the function's policies"


def test_actionlint_finds_a_job_and_a_name_that_do_not_exist(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOW)
    said = objections(CHECKS / "actionlint", broken)
    assert "gret" in said
    assert "repositry" in said


def test_zizmor_finds_a_title_that_becomes_a_command_and_an_action_that_moves(tmp_path: Path) -> None:
    broken = tmp_path / ".github" / "workflows" / "broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(WORKFLOW)
    said = objections(CHECKS / "zizmor", "--offline", "--no-progress", tmp_path)
    assert "template-injection" in said
    assert "unpinned-uses" in said
