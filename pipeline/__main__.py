"""`python -m pipeline STEP STAGE`: what the Makefile and the pipeline call."""

from __future__ import annotations

import argparse
import sys
from functools import cache

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.change_set import preview
from pipeline.deployment import deploy, rollback
from pipeline.protection import drift
from pipeline.recovery import restore
from pipeline.stages import DeploymentError, Stage, read_stage
from pipeline.verification import verify


def main() -> int:
    """Do one step for one stage; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="Deploy a stage of the shop.")
    parser.add_argument("step", choices=["deploy", "drift", "preview", "region", "restore", "rollback", "verify"])
    parser.add_argument("stage", help="a stage of samconfig.toml: staging or prod")
    parser.add_argument("--older", action="store_true", help="deploy a commit older than the one that is deployed, too")
    parser.add_argument("--time", default="", help="the moment that a restored table is of, 2026-11-26T12:00:00Z")
    arguments = parser.parse_args()
    try:
        _run(arguments.step, read_stage(arguments.stage), may_be_older=arguments.older, moment=arguments.time)
    except DeploymentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"AWS refuses ({error}): check the credentials, and that the bootstrap is up to date.\n")
        return 1
    return 0


def _run(step: str, stage: Stage, *, may_be_older: bool, moment: str) -> None:
    clients = cache(boto3.Session(region_name=stage.region).client)
    match step:
        case "deploy":
            deploy(stage, clients, may_be_older=may_be_older)
        case "rollback":
            rollback(stage, clients)
        case "verify":
            verify(stage, clients)
        case "drift":
            sys.stdout.write(drift(stage, clients("cloudformation")))
        case "restore":
            table = restore(stage, moment, clients("cloudformation"), clients("dynamodb"))
            sys.stdout.write(f"Restored as {table}: name it in RestoredTableName of {stage.name}, and deploy.\n")
        case "region":
            sys.stdout.write(f"{stage.region}\n")
        case _:
            sys.stdout.write(preview(stage, clients))


if __name__ == "__main__":
    raise SystemExit(main())
