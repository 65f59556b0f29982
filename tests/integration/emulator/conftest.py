"""A MiniStack and a stack of the repository's template, for the tests of this folder alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.aws.clients import Clients
from emulator.aws.ministack import MiniStack
from emulator.aws.stack import Stack
from sam_template import Template
from sam_template.repository import REPOSITORY, TEMPLATE
from tests.integration.emulator.aws.role_clients import RoleClients
from tests.shop import PROJECT


@contextlib.contextmanager
def running_ministack(log: Path, *, enforce_iam: bool = True) -> Iterator[MiniStack]:
    server = MiniStack(REPOSITORY / ".local", log=log, enforce_iam=enforce_iam)
    with asyncio.Runner() as runner:
        runner.run(server.start())
        try:
            yield server
        finally:
            runner.run(server.stop())


@pytest.fixture(scope="session")
def shop_template() -> Template:
    return Template.load(TEMPLATE)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with running_ministack(tmp_path_factory.mktemp("ministack") / "log") as server:
        yield server


@pytest.fixture(scope="session")
def shop(ministack: MiniStack, shop_template: Template) -> Stack:
    stack = Stack(shop_template, ministack.endpoint, name="shop-test", declaration=PROJECT.declaration)
    stack.create()
    stack.load_sample_data()
    return stack


@pytest.fixture(scope="session")
def root(ministack: MiniStack) -> Clients:
    """Clients that may do everything."""
    return Clients(ministack.endpoint, "us-east-1")


@pytest.fixture(scope="session")
def role(shop: Stack, ministack: MiniStack) -> RoleClients:
    return RoleClients(shop, ministack.endpoint_url)
