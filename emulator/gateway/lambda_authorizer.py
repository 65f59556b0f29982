"""Lambda authorizers of both kinds of API, and the cache of what they said.

Sources: API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda authorizers" (payload formats, simple
responses, identity sources, caching) and "Input to an API Gateway Lambda authorizer", "Output from an API Gateway
Lambda authorizer" for REST APIs; "Quotas" (10 s for an authorizer of an HTTP API).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from emulator.engine.invocation import Outcome
from emulator.gateway import http_api_events, policy
from emulator.gateway.definition import Api, Authorizer
from emulator.gateway.functions import Invocations, Invoked
from emulator.gateway.policy import PolicyError, Verdict

if TYPE_CHECKING:
    from emulator.gateway.http_api_events import HttpRequest
    from emulator.gateway.rest_api_events import RestRequest

_LIMIT_SECONDS = 10.0
_KEPT_ANSWERS = 1000


@dataclass(frozen=True)
class Given:
    """What an authorizer gave: a verdict, nothing because the request does not say who asks, or a failure."""

    verdict: Verdict = Verdict.NOT_ALLOWED
    context: Mapping[str, Any] = field(default_factory=dict)
    principal: str = ""
    api_key: str = ""
    is_unauthorized: bool = False
    failure: str = ""
    latency_ms: int = 0


@dataclass(frozen=True)
class _Said:
    """An authorizer's answer before it is held against a request: a policy, or a simple yes or no."""

    document: Any = None
    is_authorized: bool | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    principal: str = ""
    api_key: str = ""


class _ContextError(Exception):
    """The context is none that a REST API takes."""


class LambdaAuthorizer:
    """One authorizer. Answers are kept for its time to live, by the values of its identity sources."""

    def __init__(self, declared: Authorizer, api: Api, invocations: Invocations) -> None:
        self._declared = declared
        self._api = api
        self._is_rest = api.kind == "REST"
        self._invocations = invocations
        self._validation = re.compile(declared.validation) if declared.validation else None
        self._under_way: set[asyncio.Future[Invoked]] = set()
        self._kept: OrderedDict[tuple[str, ...], tuple[float, _Said]] = OrderedDict()

    async def for_http(self, request: HttpRequest) -> Given:
        """Ask for a request to an HTTP API."""
        facts, stage = request.facts, request.stage
        context = http_api_events.context_2_0(request)
        identity = [_http_source(source, request, context) for source in self._declared.identity_sources]
        if not all(identity):
            return Given(is_unauthorized=True)
        values = [value for value in identity if value]
        resource = f"{self._arn()}/{stage.name}/{facts.method}/{request.match.path.lstrip('/')}"
        if self._declared.payload_version == "1.0":
            event = http_api_events.event_1_0(request)
            for name in ("version", "body", "isBase64Encoded", "multiValueHeaders", "multiValueQueryStringParameters"):
                event.pop(name, None)
            event = {
                "version": "1.0",
                "type": "REQUEST",
                "methodArn": resource,
                "identitySource": ",".join(values),
                "authorizationToken": ",".join(values),
                **event,
            }
        else:
            whole = http_api_events.event_2_0(request)
            event = {"version": "2.0", "type": "REQUEST", "routeArn": resource, "identitySource": values or None}
            event |= {
                name: value for name, value in whole.items() if name not in ("version", "body", "isBase64Encoded")
            }
        return await self._ask(tuple(values), event, resource, request.facts.trace_root)

    async def for_rest(self, request: RestRequest) -> Given:
        """Ask for a request to a REST API."""
        facts, stage = request.facts, request.stage
        resource = f"{self._arn()}/{stage.name}/{facts.method}/{request.path.lstrip('/')}"
        identity = [_rest_source(source, request) for source in self._declared.identity_sources]
        if self._declared.kind == "token":
            token = identity[0] if identity else None
            if not token or (self._validation is not None and not self._validation.match(token)):
                return Given(is_unauthorized=True)
            event: dict[str, Any] = {"type": "TOKEN", "authorizationToken": token, "methodArn": resource}
            return await self._ask((token,), event, resource, facts.trace_root)
        # Without a cache the sources are not looked at: the function is always asked.
        if self._declared.ttl_seconds and not all(identity):
            return Given(is_unauthorized=True)
        whole = request.event()
        event = {"type": "REQUEST", "methodArn": resource}
        event |= {name: value for name, value in whole.items() if name not in ("body", "isBase64Encoded")}
        return await self._ask(tuple(value or "" for value in identity), event, resource, facts.trace_root)

    def _arn(self) -> str:
        return f"arn:aws:execute-api:{self._api.region}:{self._api.account_id}:{self._api.api_id}"

    async def _ask(self, key: tuple[str, ...], event: dict[str, Any], resource: str, trace_id: str) -> Given:
        began = time.monotonic()
        said = self._kept_answer(key)
        if said is None:
            payload = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
            outcome = await self._outcome(payload, trace_id)
            if outcome is not None and outcome.is_error and self._is_rest and _says_unauthorized(outcome.payload):
                return Given(is_unauthorized=True)
            if outcome is None or outcome.is_error:
                return Given(failure="The authorizer's function failed, or did not answer in time.")
            read = self._said(outcome.payload)
            if isinstance(read, str):
                return Given(failure=read)
            said = read
            self._keep(key, said)
        given = _held_against(said, resource)
        return replace(given, latency_ms=int((time.monotonic() - began) * 1000))

    async def _outcome(self, payload: bytes, trace_id: str) -> Outcome | None:
        """Return what became of the invocation; None when there is none, or it takes too long. It is not ended then."""
        invoking = asyncio.ensure_future(
            self._invocations.invoke(
                self._declared.function, payload, trace_id, limit_seconds=_LIMIT_SECONDS, on_timeout=lambda: None
            )
        )
        self._under_way.add(invoking)
        invoking.add_done_callback(self._under_way.discard)
        done, _ = await asyncio.wait({invoking}, timeout=_LIMIT_SECONDS)
        return invoking.result().outcome if done else None

    def _said(self, payload: bytes) -> _Said | str:
        """Read the function's answer; return a sentence when it is none."""
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if self._declared.simple_responses:
            if not isinstance(answer, Mapping) or not isinstance(answer.get("isAuthorized"), bool):
                return "The authorizer's answer has no isAuthorized."
            return _Said(is_authorized=answer["isAuthorized"], context=_context(answer))
        if not isinstance(answer, Mapping) or not answer.get("principalId"):
            return "The authorizer's answer has no principalId."
        try:
            policy.evaluate(answer.get("policyDocument"), "arn:aws:execute-api")
            context = _as_texts(_context(answer)) if self._is_rest else _context(answer)
        except (PolicyError, _ContextError) as error:
            return f"The authorizer's answer cannot be used: {error}."
        return _Said(
            document=answer.get("policyDocument"),
            context=context,
            principal=str(answer["principalId"]),
            api_key=str(answer.get("usageIdentifierKey") or ""),
        )

    def _kept_answer(self, key: tuple[str, ...]) -> _Said | None:
        kept = self._kept.get(key) if self._declared.ttl_seconds and key else None
        return kept[1] if kept is not None and kept[0] > time.monotonic() else None

    def _keep(self, key: tuple[str, ...], said: _Said) -> None:
        if self._declared.ttl_seconds and key:
            self._kept[key] = (time.monotonic() + self._declared.ttl_seconds, said)
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT_ANSWERS:
                self._kept.popitem(last=False)


def _held_against(said: _Said, resource: str) -> Given:
    if said.is_authorized is not None:
        verdict = Verdict.ALLOWED if said.is_authorized else Verdict.NOT_ALLOWED
    else:
        verdict = policy.evaluate(said.document, resource)
    return Given(verdict, said.context, said.principal, said.api_key)


def _context(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    context = answer.get("context")
    return context if isinstance(context, Mapping) else {}


def _as_texts(context: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the context as REST APIs hand it on. Raises `_ContextError`.

    Source: "Output from an API Gateway Lambda authorizer": the values are texts, numbers or booleans, never objects or
    arrays, and are handed on as texts. Of null it says nothing: it is left out.
    """
    found = {}
    for name, value in context.items():
        if isinstance(value, (Mapping, list)):
            raise _ContextError(f"its context has an object or an array, {name}")
        if value is not None:
            found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def _says_unauthorized(error: bytes) -> bool:
    """Tell whether a function's error is the one that REST APIs answer with 401.

    Source: "Use API Gateway Lambda authorizers", examples: `raise Exception('Unauthorized')`. HTTP APIs have none:
    "If API Gateway can't invoke your Lambda authorizer [...] clients receive a 500 Internal Server Error".
    """
    try:
        return bool(json.loads(error)["errorMessage"] == "Unauthorized")
    except (ValueError, LookupError, TypeError):
        return False


def _http_source(source: str, request: HttpRequest, context: Mapping[str, Any]) -> str | None:
    """Return the value of an identity source of an HTTP API ("$request.header.Auth", "$context.routeKey")."""
    place, _, name = source.removeprefix("$").rpartition(".")
    if place == "request.header":
        return request.facts.header(name.lower())
    if place == "request.querystring":
        return next((value for key, value in request.facts.query() if key == name), None)
    if place == "stageVariables":
        return request.stage.variables.get(name)
    found: Any = context
    for member in source.removeprefix("$context.").split("."):
        found = found.get(member) if isinstance(found, Mapping) else None
    return str(found) if found is not None else None


def _rest_source(source: str, request: RestRequest) -> str | None:
    """Return the value of an identity source of a REST API ("method.request.header.Auth", "stageVariables.x")."""
    place, _, name = source.strip().rpartition(".")
    if place == "method.request.header":
        return request.facts.header(name.lower())
    if place == "method.request.querystring":
        return next((value for key, value in request.facts.query() if key == name), None)
    if place == "stageVariables":
        return request.stage.variables.get(name)
    found: Any = request.context()
    for member in source.strip().removeprefix("context.").split("."):
        found = found.get(member) if isinstance(found, Mapping) else None
    return str(found) if found is not None else None
