"""MiniStack with some of its habits changed. Run by MiniStack's own interpreter; imports nothing of this repository.

1. MiniStack evaluates bucket policies, `aws:SecureTransport` included, and takes the transport from the scheme or from
   a TLS terminator's `X-Forwarded-Proto`. The template refuses plain http, and the local endpoint is plain http on the
   loopback interface, where nobody listens in. A request that says nothing is therefore taken as one that TLS
   protected; `X-Forwarded-Proto: http` still shows what the policy does.
2. `POST /_ministack/reset` forgets roles, sessions and secrets too. A running function would be left with credentials
   and a secret's ARN that mean nothing any more, so these stay; the stack puts their contents back.
3. Its answer to a call that IAM denies seldom names the resource, and the answer to a HEAD has no body at all. Such an
   answer therefore says in the header `emulator-denied-call` who was denied what, for the emulator to explain.
4. It takes the key `test`, every account id and the key in AWS_ACCESS_KEY_ID for its root, and does not check what they
   sign. Here the root is the last alone, and what it signs is checked.
5. Anyone may reset or reconfigure it. Here its own pages, `/_ministack/…`, want the header `emulator-admin`, except
   those that say how it is and those whose address is a secret already.
"""

from __future__ import annotations

import contextvars
import hashlib
import hmac
import importlib
import json
import os
from typing import Any

SURVIVE_A_RESET = ("iam", "sts", "secretsmanager")
DENIED_CALL_HEADER = "emulator-denied-call"
_FORWARDED_PROTOCOL = b"x-forwarded-proto"
_ADMIN_HEADER = b"emulator-admin"
_ADMIN_PAGES = "/_ministack/"
_OPEN_PAGES = ("health", "ready", "cfn-response/", "cfn-signal/", "lambda-code/", "lambda-layers/")


class OverTls:
    """An ASGI application that adds `X-Forwarded-Proto: https` to HTTP requests that carry no such header."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on (ASGI specification, "HTTP & WebSocket ASGI Message Format")."""
        if scope["type"] == "http" and all(name != _FORWARDED_PROTOCOL for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (_FORWARDED_PROTOCOL, b"https")]}
        await self._application(scope, receive, send)


_denied_calls: contextvars.ContextVar[list[dict[str, str]]] = contextvars.ContextVar("denied_calls")
"""What IAM denied of the request that is being answered. Filled in place: a thread of the request has a copy."""


class Enforcement:
    """`ministack.core.iam_evaluator.enforce`, which also notes what it denies."""

    def __init__(self, enforce: Any) -> None:
        self._enforce = enforce

    def __call__(
        self, access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        """Return what it returns: None, an AuthError for credentials that fail, an EvalResult for a denied call."""
        result = self._enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **rest)
        if hasattr(result, "decision"):
            _denied_calls.get([]).append(
                {
                    "principal": result.principal_arn,
                    "action": iam_action,
                    "resource": resource_arn,
                    "decision": result.decision,
                    "policy_of": result.resource_policy_arn,
                }
            )
        return result


class WithDeniedCalls:
    """An ASGI application that tells the last denied call of a request in the header of an answer that is an error."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on (ASGI specification, "HTTP & WebSocket ASGI Message Format")."""
        denied_calls: list[dict[str, str]] = []

        async def tell(message: dict[str, Any]) -> None:
            if denied_calls and message["type"] == "http.response.start" and message["status"] >= 400:
                told = (DENIED_CALL_HEADER.encode(), json.dumps(denied_calls[-1]).encode())
                message = {**message, "headers": [*message.get("headers", []), told]}
            await send(message)

        token = _denied_calls.set(denied_calls)
        try:
            await self._application(scope, receive, tell)
        finally:
            _denied_calls.reset(token)


class WithClosedAdminPages:
    """An ASGI application that refuses requests to MiniStack's own pages that do not carry `token`."""

    def __init__(self, application: Any, token: str) -> None:
        self._application = application
        self._token = token.encode()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on (ASGI specification, "HTTP & WebSocket ASGI Message Format")."""
        page = scope.get("path", "").removeprefix(_ADMIN_PAGES)
        if page == scope.get("path", "") or page.startswith(_OPEN_PAGES):
            await self._application(scope, receive, send)
            return
        shown = next((value for name, value in scope["headers"] if name == _ADMIN_HEADER), b"")
        if hmac.compare_digest(shown, self._token):
            await self._application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"Only the emulator may do this: run `make reset`.\n"})


def check_the_root(evaluator: Any) -> None:
    """Make AWS_ACCESS_KEY_ID the only root, and have its signatures checked as all others are."""
    for name in ("is_root_access_key", "_is_root_key"):
        if not callable(getattr(evaluator, name, None)):
            raise SystemExit(f"MiniStack's evaluator has no {name} any more: adapt {__file__}.")
    root = os.environ["AWS_ACCESS_KEY_ID"]
    evaluator.is_root_access_key = lambda access_key_id: access_key_id == root
    evaluator._is_root_key = lambda _: False  # noqa: SLF001 (who is asked whether a signature need not be checked)


def main() -> None:
    """Serve MiniStack until SIGTERM, configured by its own environment variables."""
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    check_the_root(evaluator)
    evaluator.enforce = Enforcement(evaluator.enforce)  # before anything imports it
    server: Any = importlib.import_module("ministack.app")
    token = hashlib.sha256(os.environ["AWS_SECRET_ACCESS_KEY"].encode()).hexdigest()
    server.app = WithClosedAdminPages(WithDeniedCalls(OverTls(server.app)), token)
    for name in SURVIVE_A_RESET:
        service: Any = importlib.import_module(f"ministack.services.{name}")
        if not callable(service.reset):  # what `_reset_all_state` looks for
            raise SystemExit(f"MiniStack's {name} cannot be reset any more: adapt {__file__}.")
        service.reset = lambda: None
    server.main()


if __name__ == "__main__":
    main()
