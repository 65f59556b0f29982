"""The handler in a process of its own: the function's interpreter, package, variables and role, nothing of `sam`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import boto3

from benchmarks.load import Load
from benchmarks.processes import BUILD, EVENTS, FUNCTION, declared_function, timed
from benchmarks.routes import Route
from emulator.control import ask
from emulator.interpreters import find_interpreter
from emulator.project.paths import RunningEmulator, StatePaths
from sam_template import ACCOUNT_ID
from sam_template.repository import REGION

_HANDLER = "app.lambda_handler.lambda_handler"
_PROGRAM = Path(__file__).with_name("handler_calls.py")


async def function_environment(paths: StatePaths, running: RunningEmulator) -> dict[str, str]:
    """Return the inventory function's variables of this run, for a process that finds its package by them."""
    variables = await service_environment(paths, running, FUNCTION)
    return variables | {
        "PATH": os.defpath,
        "PYTHONPATH": str(BUILD / FUNCTION),
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
    }


async def service_environment(paths: StatePaths, running: RunningEmulator, function: str) -> dict[str, str]:
    """Return the variables that the template declares for a function, with credentials of its own role."""
    variables: dict[str, str] = json.loads(paths.sam_environment.read_text())[function]
    resources = (await ask(running, "status"))["resources"]
    role = next(name for logical_id, _, name in resources if logical_id == f"{function}Role")
    sts = boto3.client(
        *("sts", REGION),
        endpoint_url=running.endpoint_url,
        aws_access_key_id=running.endpoint.root.access_key_id,
        aws_secret_access_key=running.endpoint.root.secret_access_key,
    )
    session = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{role}", RoleSessionName=function)
    credentials = session["Credentials"]
    return variables | {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


async def call_handler(route: Route, variables: dict[str, str], seconds: float, folder: Path) -> Load:
    """Call the handler with the event of `route`, one call after the other, for `seconds`."""
    interpreter = find_interpreter(declared_function().runtime).path
    result = folder / "latencies.json"
    program = (interpreter, "-B", "-P", "-s", _PROGRAM)
    await timed([*program, _HANDLER, EVENTS / route.fixture, str(seconds), result], variables, folder)
    return Load(tuple(json.loads(result.read_text())), 0, seconds)
