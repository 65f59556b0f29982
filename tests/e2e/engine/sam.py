"""A template of tiny functions, an engine in a process of its own, and the unmodified `sam` in front of it."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from emulator.paths import INSTALLED
from sam_template.repository import REPOSITORY

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
    """Write a template with the functions of those names, each at GET and POST of its own path; return the folder."""
    resources = {}
    for name in names or FUNCTIONS:
        events = {
            method: {"Type": "HttpApi", "Properties": {"Path": f"/{name.lower()}", "Method": method}}
            for method in ("GET", "POST")
        }
        properties = {"CodeUri": "code/", "Runtime": "python3.13", "MemorySize": 128, "Timeout": 10, **FUNCTIONS[name]}
        variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "8", "RECORDS": str(folder / "records"), "DECLARED": "yes"}
        properties |= {"Events": events, "Environment": {"Variables": variables}}
        resources[name] = {"Type": "AWS::Serverless::Function", "Properties": properties}
    (folder / "code").mkdir()
    (folder / "records").mkdir()
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

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.text or self.process.poll() is not None, f"{words!r} in {self.output}")
        assert words in self.text, self.text

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
        self.engine = self._start("engine.txt", [sys.executable, *arguments], REPOSITORY)
        self.engine.wait_for("DOCKER_HOST=")

    def invoke(
        self, project: Path, function: str, event: str = "{}", *options: str
    ) -> subprocess.CompletedProcess[str]:
        (project / "event.json").write_text(event)
        command = [_sam(), "local", "invoke", function, "-t", "template.json", "-e", "event.json", *options]
        return subprocess.run(
            command,
            cwd=project,
            env=self._environment(),
            capture_output=True,
            text=True,
            errors="surrogateescape",  # an answer may be no text
            timeout=120,
            check=False,
        )

    def start_api(self, project: Path, port: int, *options: str) -> Command:
        command = [_sam(), "local", "start-api", "-t", "template.json", "--port", str(port), *options]
        api = self._start(f"sam-{port}.txt", command, project)
        api.wait_for("Running on http")
        return api

    def processes(self) -> list[psutil.Process]:
        """Return the engine's environments and what they started."""
        return psutil.Process(self.engine.process.pid).children(recursive=True)

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


def _sam() -> str:
    return str(Path(sys.executable).with_name("sam"))
