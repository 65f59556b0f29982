"""Credentials are there before they are needed, and a stalled AWS holds nobody up for long."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emulator.aws import role_sessions
from emulator.aws.role_sessions import RoleSessions
from emulator.credentials import RoleCredentials
from emulator.errors import EmulatorError


class Aws:
    """Gives credentials, until it is told to fail or to stall."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.life = timedelta(hours=1)
        self.failure = ""
        self.answers = threading.Event()
        self.answers.set()

    def assume_role(self, function: str) -> RoleCredentials:
        self.calls.append(function)
        self.answers.wait(10)
        if self.failure:
            raise RuntimeError(self.failure)
        return RoleCredentials(f"{function} {len(self.calls)}", "secret", "token", datetime.now(UTC) + self.life)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setattr(role_sessions, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(role_sessions, "_LOOK_EVERY_SECONDS", 0.05)
    aws = Aws()
    yield aws
    aws.answers.set()


def run(
    aws: Aws, scenario: Callable[[RoleSessions], Awaitable[None]], *, functions: tuple[str, ...] = ("A", "B")
) -> None:
    async def prepared() -> None:
        async with RoleSessions(aws.assume_role, functions) as sessions:
            await scenario(sessions)

    asyncio.run(prepared())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_credentials_are_fetched_before_anyone_asks_and_not_again_for_each_environment(aws: Aws) -> None:
    async def scenario(sessions: RoleSessions) -> None:
        await until(lambda: len(aws.calls) == 2)
        first = [await sessions.credentials("A") for _ in range(3)]
        assert len({each.access_key_id for each in first if each}) == 1
        assert sorted(aws.calls) == ["A", "B"]
        assert await sessions.credentials("Another") is None

    run(aws, scenario)


def test_a_stalled_aws_is_not_waited_for_when_credentials_are_there(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(sessions: RoleSessions) -> None:
        assert await sessions.credentials("A")
        aws.answers.clear()
        monkeypatch.setattr(role_sessions, "WAIT_SECONDS", 60)
        async with asyncio.timeout(30):
            assert await sessions.credentials("A")

    run(aws, scenario, functions=("A",))


def test_a_stalled_aws_is_waited_for_so_long_and_no_longer(aws: Aws) -> None:
    async def scenario(sessions: RoleSessions) -> None:
        began = time.monotonic()
        with pytest.raises(EmulatorError, match="AWS did not answer within"):
            await sessions.credentials("A")
        assert time.monotonic() - began > 0.1
        aws.answers.set()

    aws.answers.clear()
    run(aws, scenario, functions=("A",))


@pytest.mark.parametrize("stalls", [True, False])
def test_credentials_that_end_are_given_on_while_aws_gives_no_others(aws: Aws, stalls: bool) -> None:
    async def scenario(sessions: RoleSessions) -> None:
        first = await sessions.credentials("A")
        aws.failure = "no"
        if stalls:
            aws.answers.clear()
        again = await sessions.credentials("A")
        assert first
        assert again
        assert again.access_key_id == first.access_key_id
        assert again.expires_at > datetime.now(UTC) + timedelta(minutes=4)  # or environments would be replaced at once
        aws.answers.set()

    aws.life = timedelta(minutes=1)
    run(aws, scenario, functions=("A",))


def test_what_hinders_is_said_once_and_the_next_look_mends_it(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(sessions: RoleSessions) -> None:
        await until(lambda: len(aws.calls) >= 3)
        with pytest.raises(EmulatorError, match="throttled"):
            await sessions.credentials("A")
        assert len(caplog.messages) == 1
        assert "throttled" in caplog.messages[0]
        aws.failure = ""
        await until(lambda: "A" in sessions._known)
        assert await sessions.credentials("A")

    aws.failure = "throttled"
    run(aws, scenario, functions=("A",))
