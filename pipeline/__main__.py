"""`python -m pipeline deploy|preview|rollback|verify STAGE`: what the Makefile and the pipeline call."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.change_set import preview
from pipeline.deployment import deploy, rollback
from pipeline.stages import DeploymentError, Stage, read_stage
from pipeline.verification import verify


def main() -> int:
    """Do one step for one stage; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="Deploy a stage of the shop.")
    parser.add_argument("step", choices=["deploy", "preview", "rollback", "verify"])
    parser.add_argument("stage", help="a stage of samconfig.toml: staging or prod")
    arguments = parser.parse_args()
    try:
        _run(arguments.step, read_stage(arguments.stage))
    except DeploymentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"AWS refuses ({error}): check the credentials, and that the bootstrap is up to date.\n")
        return 1
    return 0


def _run(step: str, stage: Stage) -> None:
    session = boto3.Session(region_name=stage.region)
    cloudformation: Any = session.client("cloudformation")
    match step:
        case "deploy":
            deploy(stage, cloudformation, session.client("s3"))
        case "rollback":
            rollback(stage, cloudformation, session.client("s3"))
        case "verify":
            verify(stage, cloudformation, session.client("secretsmanager"))
        case _:
            sys.stdout.write(preview(stage, cloudformation))


if __name__ == "__main__":
    raise SystemExit(main())
