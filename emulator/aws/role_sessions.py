"""Sessions of the functions' roles, fetched ahead of need: a request that needs no AWS never waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from emulator.credentials import RoleCredentials
from emulator.errors import EmulatorError

log = logging.getLogger(__name__)

WAIT_SECONDS = 2.0
"""An environment that starts waits so long for credentials, when none are at hand."""
_RENEWED_AFTER = timedelta(minutes=10)
_LEAST_LEFT = timedelta(minutes=5)
_LOOK_EVERY_SECONDS = 5.0


class RoleSessions:
    """The credentials of each function's role, renewed from `__aenter__` to `__aexit__`.

    `fetch`, which runs in a thread, returns a function's credentials or raises.
    """

    def __init__(self, fetch: Callable[[str], RoleCredentials], functions: Iterable[str]) -> None:
        self._fetch = fetch
        self._functions = frozenset(functions)
        self._known: dict[str, tuple[RoleCredentials, datetime]] = {}
        self._fetching: dict[str, asyncio.Task[RoleCredentials]] = {}
        self._is_failing = False
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to fetch; nothing is waited for."""
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Renew nothing any more."""
        tasks = [task for task in (self._keeper, *self._fetching.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def credentials(self, function: str) -> RoleCredentials | None:
        """Return credentials for `function` (a logical id), None when it is not one of these functions.

        While AWS does not answer, the last ones are returned, though they may have expired. Raises `EmulatorError` when
        there are none yet.
        """
        if function not in self._functions:
            return None
        known, _ = self._known.get(function, (None, None))
        if known is not None and known.expires_at - datetime.now(UTC) > _LEAST_LEFT:
            return known
        fetching = self._start(function)
        await asyncio.wait({fetching}, timeout=WAIT_SECONDS)
        if fetching.done() and not fetching.cancelled() and fetching.exception() is None:
            return fetching.result()
        if known is None:
            reason = fetching.exception() if fetching.done() else f"AWS did not answer within {WAIT_SECONDS:.0f} s"
            raise EmulatorError(str(reason))
        # Not for longer than until the next look: environments are replaced when their credentials expire.
        return replace(known, expires_at=max(known.expires_at, datetime.now(UTC) + _LEAST_LEFT))

    def _start(self, function: str) -> asyncio.Task[RoleCredentials]:
        if function not in self._fetching:
            self._fetching[function] = fetching = asyncio.create_task(self._fetched(function))
            fetching.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever waits gets it, too
        return self._fetching[function]

    async def _fetched(self, function: str) -> RoleCredentials:
        try:
            credentials = await asyncio.to_thread(self._fetch, function)
        finally:
            self._fetching.pop(function, None)
        self._known[function] = credentials, datetime.now(UTC)
        return credentials

    async def _keep(self) -> None:
        while True:
            due = [function for function in sorted(self._functions) if self._is_due(function)]
            outcomes = await asyncio.gather(*map(self._start, due), return_exceptions=True)
            self._tell(next((outcome for outcome in outcomes if isinstance(outcome, Exception)), None))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    def _is_due(self, function: str) -> bool:
        _, since = self._known.get(function, (None, None))
        return since is None or datetime.now(UTC) - since > _RENEWED_AFTER

    def _tell(self, failure: Exception | None) -> None:
        if failure is not None and not self._is_failing:
            log.warning("Credentials of the functions' roles are not renewed until AWS answers: %s", failure)
        self._is_failing = failure is not None
