"""`python -m pipeline STEP STAGE`: what the Makefile and the pipeline call."""

from __future__ import annotations

import argparse
import sys
from functools import cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.adoption import adopt
from pipeline.change_set import preview
from pipeline.deployment import deploy, rollback, sync
from pipeline.protection import drift
from pipeline.recovery import restore
from pipeline.removal import remove
from pipeline.stages import DeploymentError, Stage, read_stage
from pipeline.verification import verify

_STEPS = (
    *("adopt", "deploy", "drift", "preview", "region", "remove", "restore"),
    *("rollback", "sync", "verify"),
)


def main() -> int:
    """Do one step for one stage; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="Deploy a stage of the shop.")
    parser.add_argument("step", choices=_STEPS)
    parser.add_argument("stage", help="a stage of samconfig.toml: staging or prod; or dev-NAME")
    parser.add_argument("--older", action="store_true", help="deploy a commit older than the one that is deployed, too")
    parser.add_argument("--time", default="", help="the moment that a restored table is of, 2026-11-26T12:00:00Z")
    parser.add_argument(
        "--resources", default="", help="what a lost stack left, by its logical ids: ShopInventory=NAME …"
    )
    arguments = parser.parse_args()
    try:
        _run(arguments.step, read_stage(arguments.stage), arguments)
    except DeploymentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"AWS refuses ({error}): check the credentials, and that the bootstrap is up to date.\n")
        return 1
    return 0


def _run(step: str, stage: Stage, arguments: argparse.Namespace) -> None:
    clients = cache(boto3.Session(region_name=stage.region).client)
    match step:
        case "adopt":
            adopted = adopt(stage, clients, _names(arguments.resources))
            listed = "".join(f"  {name}: {physical_id}\n" for name, physical_id in adopted.items())
            sys.stdout.write(f"{stage.stack} has again\n{listed}`make deploy STAGE={stage.name}` makes the rest.\n")
        case "deploy":
            deploy(stage, clients, may_be_older=arguments.older)
        case "rollback":
            rollback(stage, clients)
        case "verify":
            verify(stage, clients)
        case "drift":
            sys.stdout.write(drift(stage, clients("cloudformation")))
        case "restore":
            table = restore(stage, arguments.time, clients("cloudformation"), clients("dynamodb"))
            sys.stdout.write(f"Restored as {table}: name it in RestoredTableName of {stage.name}, and deploy.\n")
        case "remove":
            gone = remove(stage, clients)
            sys.stdout.write(f"{stage.stack} is gone.\n" if gone else f"There is no {stage.stack}.\n")
        case "sync":
            raise SystemExit(sync(stage, clients))
        case "region":
            sys.stdout.write(f"{stage.region}\n")
        case _:
            sys.stdout.write(preview(stage, clients))


def _names(text: str) -> dict[str, str]:
    """Return `NAME=VALUE NAME=VALUE` as a mapping. Raises DeploymentError for another form."""
    pairs = [member.partition("=") for member in text.split()]
    if not all(name and value for name, _, value in pairs):
        raise DeploymentError(f'{text!r} names no resources: say RESOURCES="ShopInventory=… DataBucket=…".')
    return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    raise SystemExit(main())
