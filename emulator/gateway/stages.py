"""Which stage serves a request.

Sources: API Gateway Developer Guide, "Stages for HTTP APIs in API Gateway", "Routing API requests" and "Use API
mappings to connect API stages to a custom domain name". A stage other than $default is the first segment of the path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emulator.gateway.access_log import AccessLog
from emulator.gateway.definition import DEFAULT_STAGE, Api, Stage
from emulator.gateway.request_facts import Facts
from emulator.gateway.throttling import Throttle


@dataclass(slots=True)
class RunningStage:
    """A stage, the buckets of its throttles (None: it admits everything) and its access log."""

    stage: Stage
    throttle: Throttle | None
    log: AccessLog | None


@dataclass(frozen=True, slots=True)
class Staged:
    """A request's stage, the path that its routes see, and the base path of its custom domain ("" for none)."""

    running: RunningStage
    path: str
    base_path: str


class Stages:
    """The stages of one API. With `throttles` false no request is refused for its rate."""

    def __init__(self, api: Api, logs: Path, *, throttles: bool) -> None:
        self._stages = {
            stage.name: RunningStage(
                stage,
                Throttle(stage.default_rate, stage.route_rates, is_for_each=api.kind == "REST") if throttles else None,
                AccessLog(stage.access_log_format, logs / f"{api.logical_id}.{stage.name.strip('$')}.log")
                if stage.access_log_format
                else None,
            )
            for stage in api.stages
        }
        # The longest base path of a domain first: API mappings are selected so.
        self._mappings = sorted(api.mappings, key=lambda mapped: -len(mapped.base_path))

    def select(self, facts: Facts) -> Staged | None:
        """Return the stage for a request, or None."""
        host = facts.host.lower()  # RFC 9110, 4.2.3: the host is case-insensitive
        for mapped in self._mappings:
            if mapped.domain.lower() == host and mapped.stage in self._stages:
                base = f"/{mapped.base_path}" if mapped.base_path else ""
                if facts.path == base or facts.path.startswith(f"{base}/"):
                    return Staged(self._stages[mapped.stage], facts.path[len(base) :] or "/", base)
        segment, slash, rest = facts.path[1:].partition("/")
        named = self._stages.get(segment)
        if named is not None and segment != DEFAULT_STAGE:
            return Staged(named, slash + rest or "/", "")
        default = self._stages.get(DEFAULT_STAGE)
        return Staged(default, facts.path, "") if default is not None else None

    def close(self) -> None:
        """Close the logs."""
        for running in self._stages.values():
            if running.log is not None:
                running.log.close()
