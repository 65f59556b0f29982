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
   sign. Here the root is the last alone, and what it signs is checked. It takes a request without credentials for its
   root's too; here that may do what AWS lets everybody do, such as sign up at a user pool.
5. Anyone may reset or reconfigure it. Here its own pages, `/_ministack/…`, want the header `emulator-admin`, except
   those that say how it is and those whose address is a secret already.
6. Events reach functions as in AWS: `ministack_deliveries/`.
7. It is served by uvicorn with httptools and uvloop in place of hypercorn: a request takes half the processor time.
8. Its CORS headers go to browsers alone, which name their origin: an SDK would read them with every answer.
9. It starts with what it needs: `ministack_imports.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import hashlib
import hmac
import importlib
import json
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

SURVIVE_A_RESET = ("iam", "sts", "secretsmanager")
DENIED_CALL_HEADER = "emulator-denied-call"
_FORWARDED_PROTOCOL = b"x-forwarded-proto"
_CORS = b"access-control-"
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
    """`ministack.core.iam_evaluator.enforce`, which also notes what it denies.

    `is_for_everybody(service, action)` tells whether AWS serves an action without credentials.
    """

    def __init__(self, enforce: Any, is_for_everybody: Any) -> None:
        self._enforce = enforce
        self._is_for_everybody = is_for_everybody

    def __call__(
        self, access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        """Return what it returns: None, an AuthError for credentials that fail, an EvalResult for a denied call."""
        if not access_key_id and self._is_for_everybody(service, iam_action):
            return None
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
        await send({"type": "http.response.body", "body": b"Only the emulator may do this: run its `reset`.\n"})


class WithCorsForBrowsers:
    """An ASGI application that leaves CORS headers out of the answer to a request without an Origin."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass the request on (ASGI specification, "HTTP & WebSocket ASGI Message Format")."""

        async def leave_out(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kept = [header for header in message["headers"] if not header[0].lower().startswith(_CORS)]
                message = {**message, "headers": kept}
            await send(message)

        is_browser = any(name == b"origin" for name, _ in scope.get("headers", ()))
        await self._application(scope, receive, send if is_browser else leave_out)


def check_the_root(evaluator: Any) -> None:
    """Make AWS_ACCESS_KEY_ID the only root, and have its signatures checked as all others are."""
    for name in ("is_root_access_key", "_is_root_key", "_served_unsigned"):
        if not callable(getattr(evaluator, name, None)):
            raise SystemExit(f"MiniStack's evaluator has no {name} any more: adapt {__file__}.")
    root = os.environ["AWS_ACCESS_KEY_ID"]
    evaluator.is_root_access_key = lambda access_key_id: access_key_id == root
    evaluator._is_root_key = lambda _: False  # noqa: SLF001 (who is asked whether a signature need not be checked)


def raise_the_limit_of_descriptors() -> None:
    """Let as many connections be open as the system allows, as MiniStack's own start does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve(application: Any) -> None:
    """Serve an ASGI application at BIND_HOST and GATEWAY_PORT until SIGTERM (uvicorn, "Settings").

    MiniStack writes the headers Server and Date itself.
    """
    uvicorn: Any = importlib.import_module("uvicorn")
    base: Any = importlib.import_module("uvicorn.server").Server

    class Server(base):  # type: ignore[misc]
        _ended: asyncio.Event | None = None

        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            gc.freeze()  # what a start makes stays
            gc.enable()
            threading.Thread(target=prepare_for_first_requests, daemon=True).start()

        async def main_loop(self) -> None:
            # Instead of a look at `should_exit` ten times a second.
            self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
            if not await self.on_tick(0):
                await self._ended.wait()

        def handle_exit(self, sig: int, frame: Any) -> None:
            super().handle_exit(sig, frame)
            if self._ended is not None:
                self._loop.call_soon_threadsafe(self._ended.set)

    config = uvicorn.Config(
        application,
        host=os.environ["BIND_HOST"],
        port=int(os.environ["GATEWAY_PORT"]),
        loop="uvloop",
        http="httptools",
        ws=_websocket_protocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    server.run()
    if not server.started:
        raise SystemExit(3)  # as uvicorn.run does


def prepare_for_first_requests() -> None:
    """Read, while nobody asks yet, what the first requests to the services in EMULATOR_SERVICES would wait for."""
    ministack: Any = importlib.import_module("ministack.app")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    ministack._get_module("apigateway_v1")  # noqa: SLF001 asked whose domain it is, for any host with a dot
    for service in os.environ.get("EMULATOR_SERVICES", "").split():
        ministack._get_module(ministack.SERVICE_REGISTRY[service]["module"])  # noqa: SLF001
        actions._tag_operations(service)  # noqa: SLF001


def _websocket_protocol(**options: Any) -> Any:
    """Return uvicorn's protocol of a WebSocket, imported with the first one."""
    return importlib.import_module("uvicorn.protocols.websockets.wsproto_impl").WSProtocol(**options)


def main() -> None:
    """Serve MiniStack until SIGTERM, configured by its own environment variables."""
    gc.disable()  # until it serves: what is imported is kept
    folder = str(Path(__file__).parent)
    sys.path.append(folder)  # last, so that no module here hides one of MiniStack's
    imports: Any = importlib.import_module("ministack_imports")
    imports.leave_out_other_servers()
    imports.read_certificates_on_demand()
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    check_the_root(evaluator)
    evaluator.enforce = Enforcement(evaluator.enforce, evaluator._served_unsigned)  # noqa: SLF001 before anything imports it
    importlib.import_module("ministack_deliveries").install()
    sys.path.remove(folder)
    responses: Any = importlib.import_module("ministack.core.responses")
    responses._service_model = imports.quick_service_model(responses)  # noqa: SLF001 before anything takes it
    ministack: Any = importlib.import_module("ministack.app")
    token = hashlib.sha256(os.environ["AWS_SECRET_ACCESS_KEY"].encode()).hexdigest()
    ministack.app = WithClosedAdminPages(WithCorsForBrowsers(WithDeniedCalls(OverTls(ministack.app))), token)
    for name in SURVIVE_A_RESET:
        service: Any = importlib.import_module(f"ministack.services.{name}")
        if not callable(service.reset):  # what `_reset_all_state` looks for
            raise SystemExit(f"MiniStack's {name} cannot be reset any more: adapt {__file__}.")
        service.reset = lambda: None
    raise_the_limit_of_descriptors()
    serve(ministack.app)


if __name__ == "__main__":
    main()
