"""One emulator for the whole run, with a state folder of its own: a developer's data is never touched."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.loaders import create_loader
from hypothesis import settings

from emulator.aws.clients import Clients
from emulator.command_names import COMMAND_VARIABLE
from emulator.commands import background
from emulator.control import ask
from emulator.project.paths import STATE_FOLDER_VARIABLE, RunningEmulator, StatePaths
from emulator.sam.sam_cli import process_environment
from sam_template import ACCOUNT_ID
from sam_template.repository import REGION, REPOSITORY
from tests.e2e.browser import MISSING
from tests.shop import PROJECT

# CI tries more examples than a developer waits for. On a busy machine an example may take any time.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("thorough" if os.environ.get("CI") else "quick")

# Each session of botocore reads the models of its services, megabytes of JSON: here all sessions share them.
botocore.session.create_loader = functools.cache(create_loader)

os.environ.setdefault(COMMAND_VARIABLE, "make")  # as the Makefile has it
NAME_OTHER_BACKING_SERVICES = (
    *("AWS_ENDPOINT_URL", "DOCKER_HOST", "ENFORCE_IAM", "ENGINE"),
    *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ES_API_KEY", "ES_URL"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_TLS", "REDIS_CLUSTER"),
)
"""What a developer's shell may have, and the tests must not use."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run tests: one more than processors, for many a test waits; four at most."""
    return min((os.cpu_count() or 1) + 1, 4)


gc.disable()  # until everything is imported: nothing of it is garbage


def pytest_collection_finish() -> None:
    """Keep what the imports made, a million objects, out of every garbage collection that follows."""
    gc.enable()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line which tests a browser would have run: on a bare machine they are skipped."""
    reasons = [report.longreprtext for report in terminalreporter.stats.get("skipped", ())]
    if skipped := sum(MISSING in reason for reason in reasons):
        terminalreporter.write_line(f"{skipped} browser tests were skipped. {MISSING}", yellow=True)


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StatePaths]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("emulator")
        patch.setenv(STATE_FOLDER_VARIABLE, str(folder))
        for name in NAME_OTHER_BACKING_SERVICES:
            patch.delenv(name, raising=False)
        patch.setenv("THROTTLE", "off")  # the tests together are quicker than the template's throttle
        yield StatePaths(folder)


@pytest.fixture(scope="session")
def running(paths: StatePaths) -> Iterator[RunningEmulator]:
    """The emulated backing services and the engine, started as `make up` starts them."""
    yield background.up(PROJECT, paths)
    background.down(paths)


@pytest.fixture
def reset(running: RunningEmulator) -> Callable[[], None]:
    """Bring the sample data back."""
    return lambda: asyncio.run(ask(running, "reset"))


@pytest.fixture(scope="session")
def tool_environment(running: RunningEmulator) -> dict[str, str]:
    """The environment of a shell after `eval "$(make env)"`."""
    return process_environment(running)


@pytest.fixture(scope="session")
def owner(running: RunningEmulator) -> Clients:
    """Clients of the account's owner, who may do what no function's role may."""
    return Clients(running.endpoint, REGION)


@pytest.fixture(scope="session")
def environment_of(running: RunningEmulator, paths: StatePaths, owner: Clients) -> Callable[[str], dict[str, str]]:
    """What a function finds in its environment: its variables, and credentials of its own role."""
    declared: dict[str, dict[str, str]] = json.loads(paths.sam_environment.read_text())
    names = {logical_id: name for logical_id, _, name in asyncio.run(ask(running, "status"))["resources"]}

    def environment_of(function: str) -> dict[str, str]:
        role = f"arn:aws:iam::{ACCOUNT_ID}:role/{names[f'{function}Role']}"
        credentials = owner.sts.assume_role(RoleArn=role, RoleSessionName=function)["Credentials"]
        return declared[function] | {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    return environment_of


@pytest.fixture(scope="session")
def function_environment(environment_of: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """The environment of the inventory function."""
    return environment_of("InventoryFunction")


@pytest.fixture(scope="session")
def catalog() -> list[dict[str, Any]]:
    products: list[dict[str, Any]] = json.loads((REPOSITORY / "sample_data/catalog.json").read_text())
    return products
