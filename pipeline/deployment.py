"""Deploy a stage and roll it back, both with the unmodified `sam deploy`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pipeline.commits import package_commit, require_not_older
from pipeline.function_versions import delete_unused, live_versions, switch_back
from pipeline.network import require_subnets
from pipeline.protection import protect
from pipeline.releases import AT_ONCE, WITHOUT_CODEDEPLOY, Release, Releases, read_deployed, split_at_previous
from pipeline.stages import CONFIGURATION, Clients, DeploymentError, Stage, describe_stack, read_bootstrap
from sam_template.repository import TEMPLATE

PACKAGE: Final = Path(".aws-sam/deployment/template.yaml")
ROLLBACK: Final = Path(".aws-sam/rollback")
OWN: Final = Path(".aws-sam/own")
SYNC: Final = Path(".aws-sam/sync")
"""Where `sam sync` runs, and so builds: it takes no folder for that."""
SAM: Final = Path(sys.executable).with_name("sam")


def deploy(stage: Stage, clients: Clients, *, may_be_older: bool = False) -> None:
    """Deploy what `make package` built, and keep it as a release.

    Raises DeploymentError when there is no package, sam fails, or the package's commit is older than the one that is
    deployed and not `may_be_older`.
    """
    if not PACKAGE.is_file():
        raise DeploymentError("There is no package to deploy: run `make package`.")
    cloudformation, functions = clients("cloudformation"), clients("lambda")
    bootstrap = read_bootstrap(stage, cloudformation)
    require_subnets(stage, clients("ec2"))
    releases = Releases(stage, bootstrap.bucket, clients("s3"))
    commit = package_commit()
    if describe_stack(stage.stack, cloudformation):
        if not may_be_older:
            require_not_older(commit, releases.commit_of(read_deployed(stage, cloudformation)))
        delete_unused(live_versions(stage.stack, cloudformation, functions), functions)
    run_sam_deploy(stage, "--s3-bucket", bootstrap.bucket, "--role-arn", bootstrap.execution_role)
    protect(stage, cloudformation)
    versions = live_versions(stage.stack, cloudformation, functions)
    releases.keep(read_deployed(stage, cloudformation, commit, versions))


def rollback(stage: Stage, clients: Clients) -> None:
    """Deploy the release before the one that is deployed, all traffic at once, and forget what it replaces.

    The versions of that release get the traffic before anything else, when they still exist: it takes seconds. What
    the stack then deploys are versions like them. Raises DeploymentError when there is no release to go back to, or
    sam fails.
    """
    cloudformation, functions = clients("cloudformation"), clients("lambda")
    bootstrap = read_bootstrap(stage, cloudformation)
    releases = Releases(stage, bootstrap.bucket, clients("s3"))
    found = split_at_previous(releases.read_all(), read_deployed(stage, cloudformation))
    if found is None:
        raise DeploymentError(f"{stage.stack} has no earlier release: deploy a commit that works.")
    previous, later = found
    _say(f"Going back to the release of {previous.time}, commit {previous.commit or 'unknown'}.")
    if switch_back(previous.versions, functions):
        _say("Its versions have all the traffic now; the stack follows.")
    arguments = ["--s3-bucket", bootstrap.bucket, "--role-arn", bootstrap.execution_role]
    # Whatever fails now, CloudFormation must not give the traffic back to the version that called for this.
    arguments += ["--disable-rollback"]
    try:
        run_sam_deploy(stage, *arguments, *_release_arguments(previous, AT_ONCE))
    except DeploymentError:
        # CodeDeploy may refuse to shift an alias that it finds elsewhere than CloudFormation left it.
        _say("That failed; once more without CodeDeploy, whose history goes.")
        run_sam_deploy(stage, *arguments, *_release_arguments(previous, WITHOUT_CODEDEPLOY))
    releases.forget(later)
    releases.write(replace(previous, versions=live_versions(stage.stack, cloudformation, functions)))


def sync(stage: Stage, clients: Clients) -> int:
    """Run `sam sync` for somebody's own stack until Ctrl-C; return its exit status.

    Raises DeploymentError for a stage that is shared: what `sam sync` uploads is in no release, and CloudFormation does
    not know of it.
    """
    if not stage.is_own:
        raise DeploymentError(f"{stage.name} is nobody's own stack: say STAGE=dev-NAME.")
    bootstrap = read_bootstrap(stage, clients("cloudformation"))
    arguments = ["--template-file", str(TEMPLATE), "--s3-bucket", bootstrap.bucket]
    arguments += ["--role-arn", bootstrap.execution_role]
    SYNC.mkdir(parents=True, exist_ok=True)
    try:
        return subprocess.run(sam_command("sync", stage, arguments), cwd=SYNC, check=False).returncode
    except KeyboardInterrupt:  # sam had it too
        return 130


def run_sam_deploy(stage: Stage, *arguments: str) -> None:
    """Run `sam deploy` with the settings of `stage` and `arguments`. Raises DeploymentError when it fails."""
    finished = subprocess.run(sam_deploy_command(stage, arguments), check=False)
    if finished.returncode:
        raise DeploymentError(f"sam deploy failed with status {finished.returncode}: the lines above say why.")


def sam_deploy_command(stage: Stage, arguments: Sequence[str]) -> list[str]:
    """Return the command line of `sam deploy` for `stage`."""
    return sam_command("deploy", stage, arguments)


def sam_command(verb: str, stage: Stage, arguments: Sequence[str]) -> list[str]:
    """Return the command line of `sam` for `stage`; what `arguments` say comes before what the stage says."""
    # sam looks for samconfig.toml beside the template, where a rollback has none.
    command = [str(SAM), verb, "--config-file", str(CONFIGURATION.resolve()), "--config-env", stage.section]
    if not stage.is_own:
        return [*command, *arguments]
    # What differs between the stacks that share a section; sam takes the last value of an option.
    command += ["--stack-name", stage.stack, "--s3-prefix", stage.stack]
    command += ["--tags", "Application=shop-on-sam", f"Stage={stage.name}"]
    if "--parameter-overrides" not in arguments:
        command += ["--parameter-overrides", _written(stage.parameters, OWN)]
    return [*command, *arguments]


def _written(parameters: Mapping[str, str], folder: Path) -> str:
    """Write `parameters` to a file in `folder`; return what `--parameter-overrides` takes for it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "parameters.yaml"
    # sam reads parameters from YAML files alone, and JSON is YAML.
    path.write_text(json.dumps(dict(parameters)), encoding="utf-8")
    return f"file://{path.resolve()}"


def _release_arguments(release: Release, changed: Mapping[str, str]) -> list[str]:
    """Return the arguments of `sam deploy` that deploy `release` with some parameters `changed`."""
    ROLLBACK.mkdir(parents=True, exist_ok=True)
    template = ROLLBACK / "template.yaml"
    template.write_text(release.template, encoding="utf-8")
    parameters = _written({**release.parameters, **changed}, ROLLBACK)
    return ["--template-file", str(template), "--parameter-overrides", parameters]


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
