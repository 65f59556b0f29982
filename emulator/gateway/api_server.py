"""What HTTP APIs and REST APIs share: an API that is served, its requests under way, and the calls of its functions."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol

from emulator.gateway.authorizers import Authorizers
from emulator.gateway.definition import Api, Integration
from emulator.gateway.functions import Invocations, Invoked
from emulator.gateway.pending_answer import PendingAnswer
from emulator.gateway.request_facts import Facts
from emulator.gateway.stages import Stages
from emulator.http_server import Request, Response
from emulator.metrics import RouteMetrics


class Records(Protocol):
    """What keeps requests as fixtures, for as long as somebody asks for it."""

    @property
    def is_recording(self) -> bool:
        """Tell whether anything is kept now."""

    def record(self, api: str, event: Mapping[str, Any], response: Response) -> None:
        """Keep the event of a request to `api` (a logical id), and the answer."""


class ApiServer(ABC):
    """Serves one API on one port. `logs` is the folder of the access logs."""

    def __init__(
        self, api: Api, invocations: Invocations, authorizers: Authorizers, logs: Path, *, throttles: bool
    ) -> None:
        self.api = api
        self.port = 0
        self.routes = RouteMetrics()
        self.recorder: Records | None = None
        self._invocations = invocations
        self._authorizers = authorizers
        self._stages = Stages(api, logs, throttles=throttles)
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    def handle(self, request: Request) -> None:
        """Answer a request, at once or when its function has answered."""

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._stages.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _invoke(
        self,
        integration: Integration,
        event: Mapping[str, Any],
        facts: Facts,
        answer: PendingAnswer,
        *,
        timed_out: Response,
    ) -> Invoked:
        """Call the integration's function with `event`; `timed_out` is given when it does not answer in time."""
        if self.recorder is not None and self.recorder.is_recording:
            answer.event, answer.record = event, functools.partial(self.recorder.record, self.api.logical_id)
        began = time.monotonic()
        invoked = await self._invocations.invoke(
            integration.function,
            json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
            facts.trace_root,
            limit_seconds=integration.timeout_seconds,
            on_timeout=lambda: answer.give(timed_out, error="The integration did not answer in time."),
        )
        answer.integrated(began)
        return invoked


def payload_of(invoked: Invoked, answer: PendingAnswer, *, too_large: Response, failed: Response) -> bytes | None:
    """Return what the function answered; None when it did not, and `answer` has been given what the API says then."""
    outcome = invoked.outcome
    if invoked.is_too_large:
        answer.give(too_large, error="The event is larger than Lambda takes.")
    elif outcome is None:
        answer.give(failed, error="The function does not exist.")
    elif outcome.is_error:
        answer.give(failed, error="The Lambda function returned an error.")
    else:
        return outcome.payload
    return None
