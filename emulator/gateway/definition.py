"""What an API is made of, whichever kind it is and however the template writes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

DEFAULT_STAGE = "$default"
DEFAULT_ROUTE = "$default"
ANY = "ANY"


class Integration(NamedTuple):
    """What answers a route: the function with the logical id `function`, a fixed `mock` answer, or neither.

    With neither, `missing` is the sentence that says why the gateway cannot serve it.
    """

    function: str = ""
    payload_version: str = "2.0"
    timeout_seconds: float = 30.0
    mock: MockAnswer | None = None
    missing: str = ""


class MockAnswer(NamedTuple):
    """The fixed answer of a mock integration, which SAM makes for the preflight requests of REST APIs."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


class Route(NamedTuple):
    """A route: `method` in capitals or ANY, `path` as declared or $default."""

    method: str
    path: str
    integration: Integration
    authorizer: str = ""
    scopes: tuple[str, ...] = ()
    needs_api_key: bool = False

    @property
    def key(self) -> str:
        """Return the route key ("GET /pets/{id}", "$default")."""
        return DEFAULT_ROUTE if self.path == DEFAULT_ROUTE else f"{self.method} {self.path}"


class Rate(NamedTuple):
    """A throttle: requests a second, and how many may come at once."""

    per_second: float
    burst: int


class Stage(NamedTuple):
    """A stage. `route_rates` are by route key; `access_log_format` is "" when none is kept."""

    name: str
    variables: Mapping[str, str] = MappingProxyType({})
    default_rate: Rate | None = None
    route_rates: Mapping[str, Rate] = MappingProxyType({})
    access_log_format: str = ""


class Mapped(NamedTuple):
    """A custom domain's mapping: requests to `domain` under `base_path` ("" for all) go to the stage."""

    domain: str
    base_path: str
    stage: str


class Authorizer(NamedTuple):
    """An authorizer as declared; `kind` is "request", "token" or "jwt"."""

    name: str
    kind: str
    function: str = ""
    payload_version: str = "1.0"
    simple_responses: bool = False
    identity_sources: tuple[str, ...] = ()
    validation: str = ""
    ttl_seconds: int = 0
    issuer: str = ""
    audiences: tuple[str, ...] = ()


class UsagePlan(NamedTuple):
    """A usage plan of REST APIs: who may call (`keys`: value to name), how fast, and how often in a period."""

    name: str
    stages: frozenset[str]
    keys: Mapping[str, str]
    rate: Rate | None = None
    method_rates: Mapping[str, Rate] = MappingProxyType({})
    quota: int | None = None
    period: str = "DAY"


class Api(NamedTuple):
    """An API of the template. `kind` is "HTTP" or "REST"; `cors` is a CorsConfiguration in lower camel case."""

    logical_id: str
    kind: str
    api_id: str
    account_id: str
    region: str
    routes: tuple[Route, ...]
    stages: tuple[Stage, ...]
    authorizers: Mapping[str, Authorizer] = MappingProxyType({})
    mappings: tuple[Mapped, ...] = ()
    cors: Mapping[str, Any] | None = None
    binary_media_types: tuple[str, ...] = ()
    usage_plans: tuple[UsagePlan, ...] = ()
    api_key_source: str = "HEADER"
    notes: tuple[str, ...] = ()
    """What of the API is not emulated, a sentence for each."""
