"""A template of tiny functions, an engine in a process of its own, and the unmodified `sam` in front of it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from emulator.engine.mount_namespace.client import Launcher
from emulator.engine.mount_namespace.file_system import TASK_ROOT
from sam_template.repository import INSTALLED, REPOSITORY
from tests.e2e.forked_sam import SECONDS, ForkedSam, run_sam

SOURCES = ("functions.py", "broken.py")
PATIENCE_SECONDS = 60

FUNCTIONS: dict[str, dict[str, Any]] = {
    "Echo": {"Handler": "functions.echo"},
    "Environment": {"Handler": "functions.environment"},
    "Second": {"Handler": "functions.second"},
    "Talk": {"Handler": "functions.talk"},
    "Fail": {"Handler": "functions.fail"},
    "Never": {"Handler": "functions.never", "Timeout": 1},
    "Leave": {"Handler": "functions.leave"},
    "Grow": {"Handler": "functions.grow"},
    "Large": {"Handler": "functions.large"},
    "Spawn": {"Handler": "functions.spawn"},
    "Broken": {"Handler": "broken.handler"},
    "Raw": {"Handler": "functions.raw"},
    "Sdk": {"Handler": "functions.sdk"},
    "Picture": {"Handler": "functions.picture"},
}


def write_project(folder: Path, *names: str) -> Path:
    """Write a template with the functions of those names, each at GET and POST of its own path; return the folder.

    `records` in it is where the functions write: elsewhere, because a function does not see this machine's /tmp.
    """
    records = Path(tempfile.mkdtemp(prefix="records-", dir="/var/tmp"))
    atexit.register(shutil.rmtree, records, ignore_errors=True)
    resources = {}
    for name in names or FUNCTIONS:
        events = {
            method: {"Type": "HttpApi", "Properties": {"Path": f"/{name.lower()}", "Method": method}}
            for method in ("GET", "POST")
        }
        properties = {"CodeUri": "code/", "Runtime": "python3.13", "MemorySize": 128, "Timeout": 10, **FUNCTIONS[name]}
        variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "8", "RECORDS": str(records), "DECLARED": "yes"}
        properties |= {"Events": events, "Environment": {"Variables": variables}}
        resources[name] = {"Type": "AWS::Serverless::Function", "Properties": properties}
    (folder / "code").mkdir()
    (folder / "records").symlink_to(records)
    for source in SOURCES:
        shutil.copy(Path(__file__).with_name(source), folder / "code")
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": resources,
    }
    (folder / "template.json").write_text(json.dumps(template))
    return folder


@dataclass
class Command:
    """A process that the tests started, and what it has written."""

    process: subprocess.Popen[bytes] | ForkedSam
    output: Path

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        """Return when it has written `words`. It is ended when it does not in time."""
        try:
            wait_until(lambda: words in self.text or self.process.poll() is not None, f"{words!r} in {self.output}")
            assert words in self.text, self.text
        except AssertionError:
            self.end(signal.SIGKILL)
            raise

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)


@dataclass
class Bench:
    """Where one engine and its clients run. `temp` is the temp dir of all of them, so that what is left there shows."""

    folder: Path
    sts: str
    temp: Path = field(init=False)
    engine: Command = field(init=False)

    def __post_init__(self) -> None:
        self.temp = self.folder / "tmp"
        self.temp.mkdir(exist_ok=True)
        self.start_engine()

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "e.sock"

    def start_engine(self) -> None:
        arguments = ["-m", "emulator.engine", "--socket", str(self.socket), "--installed", str(INSTALLED)]
        arguments += ["--images", str(self.folder / "images")]
        self.engine = self._start("engine.txt", [sys.executable, *arguments], REPOSITORY)
        self.engine.wait_for("DOCKER_HOST=")

    def invoke(
        self, project: Path, function: str, event: str = "{}", *options: str, template: str = "template.json"
    ) -> subprocess.CompletedProcess[str]:
        (project / "event.json").write_text(event)
        return self._run(["local", "invoke", function, "-t", template, "-e", "event.json", *options], project)

    def build(self, project: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return self._run(["build", "-t", "template.json", *options], project, seconds=300)

    def start_api(self, project: Path, port: int, *options: str, template: str = "template.json") -> Command:
        return self._serve(["start-api", "-t", template, "--port", str(port), *options], project, port)

    def start_lambda(self, project: Path, port: int, *options: str) -> Command:
        return self._serve(["start-lambda", "-t", "template.json", "--port", str(port), *options], project, port)

    def processes(self) -> list[psutil.Process]:
        """Return the engine's environments and what they started, without the process that launches them."""
        children = psutil.Process(self.engine.process.pid).children(recursive=True)
        return [each for each in children if not _is_launcher(each)]

    def _run(self, arguments: list[str], project: Path, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
        command, written = ["sam", *arguments], self.folder / "written"
        written.mkdir(exist_ok=True)
        done = run_sam(command, self._environment(), written, project=project, seconds=seconds)
        return subprocess.CompletedProcess(command, done.status, done.output, done.log)

    def _serve(self, arguments: list[str], project: Path, port: int) -> Command:
        output = self.folder / f"sam-{port}.txt"
        sam = ForkedSam(["sam", "local", *arguments], self._environment(), project, output, output)
        started = Command(sam, output)
        started.wait_for("Running on http")
        return started

    def _start(self, name: str, command: list[str], folder: Path) -> Command:
        output = self.folder / name
        with output.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=folder, env=self._environment(), stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        return Command(process, output)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DOCKER_HOST": f"unix://{self.socket}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            # sam asks STS who it is, and waits on retries when nobody answers.
            "AWS_ENDPOINT_URL": self.sts,
            "SAM_CLI_TELEMETRY": "0",
            "SECRET_OF_THE_SHELL": "leak",
            "TMPDIR": str(self.temp),
        }


@contextlib.contextmanager
def sts_fake() -> Iterator[str]:
    """Answer any request with an account id; yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
            body += b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def wait_until(condition: Any, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@functools.cache
def has_own_file_system() -> bool:
    """Tell whether execution environments have a file system of their own on this machine."""

    async def is_usable() -> bool:
        launcher = Launcher()
        await launcher.start()
        try:
            return not launcher.reason
        finally:
            await launcher.stop()

    return asyncio.run(is_usable())


def task_root(project: Path) -> str:
    """Return where the functions of `project` find their code."""
    return TASK_ROOT if has_own_file_system() else str(project / "code")


def _is_launcher(process: psutil.Process) -> bool:
    try:
        return "emulator.engine.mount_namespace.launcher" in process.cmdline()
    except psutil.Error:
        return False
