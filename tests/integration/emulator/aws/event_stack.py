"""A stack whose functions are a port of this process: it records what comes and answers as it is told.

The port speaks Lambda's Invoke, as the emulator's does, and does with asynchronous events what the emulator does; only
the engine is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from emulator.aws.clients import Clients
from emulator.aws.destinations import Message, send, settings_of
from emulator.aws.ministack import MiniStack
from emulator.aws.ministack_deliveries import DENIED_DELIVERY_HEADER
from emulator.aws.stack import Stack
from emulator.credentials import Endpoint
from emulator.engine.invocation import Outcome
from emulator.events.async_invocations import AsyncInvocations, Event
from sam_template import Template

SECONDS = 60
"""How long a test waits for what has to come."""


def nothing(_: Any) -> tuple[Any, bool]:
    return None, False


class SlowAnswer:
    """A function that takes half a second. `most` is how many invocations of it ran at once."""

    def __init__(self) -> None:
        self.most = 0
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, _: Any) -> tuple[Any, bool]:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        time.sleep(0.5)
        with self._lock:
            self._running -= 1
        return None, False


def error(kind: str, message: str = "") -> tuple[Any, bool]:
    return {"errorType": kind, "errorMessage": message, "stackTrace": []}, True


class Functions:
    """Lambda's Invoke on a free port: it keeps the events of each function, and answers by `answers`.

    `denied` are the deliveries that a policy forbade. `times` are when each event came. Functions that are `refused`
    are not known yet: 404, counted in `refusals`.
    """

    def __init__(self) -> None:
        self.events: dict[str, list[Any]] = {}
        self.times: dict[str, list[float]] = {}
        self.answers: dict[str, Callable[[Any], tuple[Any, bool]]] = {}
        self.denied: list[dict[str, str]] = []
        self.refused: set[str] = set()
        self.refusals = 0
        self.run_later: Callable[[str, str, bytes], None] = lambda *_: None
        functions = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                url = urlsplit(self.path)
                name, qualifier = url.path.split("/")[3], "".join(parse_qs(url.query).get("Qualifier", []))
                if name in functions.refused:
                    functions.refusals += 1
                    self.send_error(404)
                    return
                answer, has_failed = None, False
                if denied := self.headers.get(DENIED_DELIVERY_HEADER):
                    functions.denied.append(json.loads(denied))
                elif self.headers.get("X-Amz-Invocation-Type") == "Event":
                    functions.run_later(name, qualifier, payload)
                else:
                    answer, has_failed = functions.run(name, payload)
                body = json.dumps(answer).encode()
                self.send_response(200)
                if has_failed:
                    self.send_header("X-Amz-Function-Error", "Unhandled")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def run(self, name: str, payload: bytes) -> tuple[Any, bool]:
        event = json.loads(payload)
        self.events.setdefault(name, []).append(event)
        self.times.setdefault(name, []).append(time.monotonic())
        return self.answers.get(name, nothing)(event)


class EventStack:
    """The stack, with what its functions got. `name` and `ref` take logical ids."""

    def __init__(self, stack: Stack, clients: Clients, functions: Functions) -> None:
        self.stack, self.functions, self._clients = stack, functions, clients

    def client(self, service: str) -> Any:
        return self._clients.named(service)

    def ref(self, name: str) -> str:
        return self.stack.created[name].ref

    def answer(self, function: str, answer: Callable[[Any], tuple[Any, bool]]) -> None:
        self.functions.answers[self.ref(function)] = answer

    def events(self, function: str) -> list[Any]:
        return self.functions.events.get(self.ref(function), [])

    def event(self, function: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first event of a function that is wanted, waiting for it."""
        found: list[Any] = []
        with contextlib.suppress(TimeoutError):
            found = self.until(lambda: [event for event in self.events(function) if wanted(event)])
        assert found, f"{function} got {self.events(function)}"
        return found[0]

    def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """Return what `condition` returns once that is true. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.05)
        raise TimeoutError

    def message(self, queue: str) -> Any:
        """Return the next message of a queue, waiting for it, and take it out."""
        sqs, url = self.client("sqs"), self.ref(queue)
        asked = {"QueueUrl": url, "WaitTimeSeconds": 1, "MessageAttributeNames": ["All"]}
        (message,) = self.until(lambda: sqs.receive_message(**asked).get("Messages"))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message


@contextlib.contextmanager
def event_stack(template: str, ministack: MiniStack, folder: Path, name: str) -> Iterator[EventStack]:
    """Make the stack of the text `template`; its functions are this process."""
    path = folder / "template.yaml"
    path.write_text(template)
    functions = Functions()
    stack = Stack(Template.load(path), ministack.endpoint, name=name, functions_url=functions.url)
    clients = Clients(ministack.endpoint, "us-east-1", functions.url)
    loop = asyncio.new_event_loop()
    threads = [threading.Thread(target=functions.server.serve_forever), threading.Thread(target=loop.run_forever)]
    functions.run_later = functools.partial(_run_later, loop, _invocations(stack, clients, functions), stack)
    for thread in threads:
        thread.start()
    try:
        stack.create()
        yield EventStack(stack, clients, functions)
    finally:
        for mapping in clients.named("lambda").list_event_source_mappings()["EventSourceMappings"]:
            clients.named("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
        functions.server.shutdown()
        asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result(SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        for thread in threads:
            thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        functions.server.server_close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _invocations(stack: Stack, clients: Clients, functions: Functions) -> AsyncInvocations:
    async def invoke(event: Event) -> Outcome:
        answer, has_failed = await asyncio.to_thread(functions.run, event.name, event.payload)
        return Outcome(json.dumps(answer).encode(), is_error=has_failed)

    async def send_as_function(function: str, message: Message) -> None:
        await asyncio.to_thread(_send, stack, clients.endpoint, function, message)

    return AsyncInvocations(invoke, functools.partial(settings_of, clients), send_as_function)


def _send(stack: Stack, endpoint: Endpoint, function: str, message: Message) -> None:
    send(Clients(endpoint, "us-east-1", role=stack.role_credentials(function)), message)


def _run_later(
    loop: asyncio.AbstractEventLoop,
    invocations: AsyncInvocations,
    stack: Stack,
    name: str,
    qualifier: str,
    payload: bytes,
) -> None:
    logical_id = next(one for one in stack.template.functions if stack.created[one].ref == name)
    arn = stack.created[logical_id].attributes["Arn"]
    event = Event(logical_id, name, qualifier, arn, payload, "request-1", "Root=1-1-1")
    asyncio.run_coroutine_threadsafe(invocations.run(event), loop)
