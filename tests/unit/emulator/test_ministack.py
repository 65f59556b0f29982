"""What MiniStack is started with, and the launcher's word on the transport."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from emulator import ministack
from emulator.ministack import MiniStack, MiniStackError
from emulator.ministack_launcher import OverTls


def test_nothing_of_the_callers_aws_configuration_reaches_it(tmp_path: Path) -> None:
    caller = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL": "https://x", "PYTHONPATH": "/y"}
    environment = ministack._environment(caller, 4567, tmp_path, enforce_iam=True)
    assert environment["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL", "PYTHONPATH"} & set(environment)
    assert (environment["BIND_HOST"], environment["GATEWAY_PORT"], environment["AUTH"]) == ("127.0.0.1", "4567", "true")
    assert ministack._environment(caller, 1, tmp_path, enforce_iam=False)["AUTH"] == "false"


def test_one_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(MiniStackError, match=r"MiniStack is not installed .*make setup"):
        asyncio.run(MiniStack(tmp_path, log=tmp_path / "log").start())


@pytest.mark.parametrize(
    ("type_name", "headers", "expected"),
    [
        ("http", [(b"host", b"x")], [(b"host", b"x"), (b"x-forwarded-proto", b"https")]),
        ("http", [(b"x-forwarded-proto", b"http")], [(b"x-forwarded-proto", b"http")]),
        ("lifespan", None, None),
    ],
)
def test_a_silent_request_counts_as_protected(type_name: str, headers: Any, expected: Any) -> None:
    seen: list[Any] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope.get("headers"))

    scope = {"type": type_name} | ({"headers": headers} if headers is not None else {})
    asyncio.run(OverTls(application)(scope, None, None))
    assert seen == [expected]
    assert scope.get("headers") == headers  # the server's own scope is left as it was
