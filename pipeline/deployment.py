"""Deploy a stage and roll it back, both with the unmodified `sam deploy`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.releases import AT_ONCE, Releases, read_deployed, split_at_previous
from pipeline.stages import CONFIGURATION, DeploymentError, Stage, read_bootstrap

PACKAGE: Final = Path(".aws-sam/deployment/template.yaml")
ROLLBACK: Final = Path(".aws-sam/rollback")
SAM: Final = Path(sys.executable).with_name("sam")


def deploy(stage: Stage, cloudformation: Any, s3: Any) -> None:
    """Deploy what `make package` built, and keep it as a release. Raises DeploymentError when sam fails."""
    if not PACKAGE.is_file():
        raise DeploymentError("There is no package to deploy: run `make package`.")
    bootstrap = read_bootstrap(stage, cloudformation)
    run_sam_deploy(stage, "--s3-bucket", bootstrap.bucket, "--role-arn", bootstrap.execution_role)
    Releases(stage, bootstrap.bucket, s3).keep(read_deployed(stage, cloudformation, _commit()))


def rollback(stage: Stage, cloudformation: Any, s3: Any) -> None:
    """Deploy the release before the one that is deployed, all traffic at once, and forget what it replaces.

    Raises DeploymentError when there is no release to go back to, or sam fails.
    """
    bootstrap = read_bootstrap(stage, cloudformation)
    releases = Releases(stage, bootstrap.bucket, s3)
    found = split_at_previous(releases.read_all(), read_deployed(stage, cloudformation))
    if found is None:
        raise DeploymentError(f"{stage.stack} has no earlier release: deploy a commit that works.")
    previous, later = found
    sys.stdout.write(f"Going back to the release of {previous.time}, commit {previous.commit or 'unknown'}.\n")
    sys.stdout.flush()
    ROLLBACK.mkdir(parents=True, exist_ok=True)
    template, parameters = ROLLBACK / "template.yaml", ROLLBACK / "parameters.yaml"
    template.write_text(previous.template, encoding="utf-8")
    # sam reads parameters from YAML files alone, and JSON is YAML.
    parameters.write_text(json.dumps({**previous.parameters, **AT_ONCE}), encoding="utf-8")
    arguments = ["--s3-bucket", bootstrap.bucket, "--role-arn", bootstrap.execution_role]
    arguments += ["--template-file", str(template)]
    run_sam_deploy(stage, *arguments, "--parameter-overrides", f"file://{parameters.resolve()}")
    releases.forget(later)


def run_sam_deploy(stage: Stage, *arguments: str) -> None:
    """Run `sam deploy` with the settings of `stage` and `arguments`. Raises DeploymentError when it fails."""
    finished = subprocess.run(sam_deploy_command(stage, arguments), check=False)
    if finished.returncode:
        raise DeploymentError(f"sam deploy failed with status {finished.returncode}: the lines above say why.")


def sam_deploy_command(stage: Stage, arguments: Sequence[str]) -> list[str]:
    """Return the command line of `sam deploy` for `stage`."""
    # sam looks for samconfig.toml beside the template, where a rollback has none.
    return [str(SAM), "deploy", "--config-file", str(CONFIGURATION.resolve()), "--config-env", stage.name, *arguments]


def _commit() -> str:
    """Return the commit that is deployed: GitHub's word for it, or the repository's, or nothing."""
    if os.environ.get("GITHUB_SHA"):
        return os.environ["GITHUB_SHA"]
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()
