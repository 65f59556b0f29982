"""The emulator as a person installs it, in projects that are not this repository."""

from __future__ import annotations

import fcntl
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from emulator.processes.ports import accepts, free_port
from sam_template.repository import INSTALLED, REPOSITORY
from tests.conftest import NAME_OTHER_BACKING_SERVICES
from tests.e2e.processes import GONE_SECONDS, assert_no_process_names, family

PROJECTS = Path(__file__).parent
READY_SECONDS = 180
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""What the functions of the projects run on here: `sam build` needs the very interpreter of each function."""


class InstalledEmulator:
    """`sam-emulator`, installed by uv into the bare home of a person."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.program = home / "bin" / "sam-emulator"
        own = ("HOME", "XDG_", "UV_TOOL", "EMULATOR_", "SAM_EMULATOR_", "AWS_", "PYTHON", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        self.environment = {name: value for name, value in kept.items() if name not in NAME_OTHER_BACKING_SERVICES}
        self.environment |= {
            "HOME": str(home),
            "UV_TOOL_DIR": str(home / "tools"),
            "UV_TOOL_BIN_DIR": str(home / "bin"),
            "SAM_EMULATOR_CACHE": str(home / "cache"),
        }

    def run(self, *arguments: str | Path, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the emulator in the project `folder` to its end."""
        return subprocess.run(
            [self.program, *arguments],
            cwd=folder,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
            check=False,
        )


class StartedProject:
    """`sam-emulator start` in a folder; what it prints is in `printed`, its temporary files in `temporary`."""

    def __init__(
        self, emulator: InstalledEmulator, folder: Path, *arguments: str, temporary: Path | None = None
    ) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.temporary = temporary or Path(tempfile.mkdtemp(prefix="project-"))  # short: sockets are in it
        self._emulator = emulator
        self._output = folder / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [emulator.program, "start", "--port", str(self.port), *arguments],
                cwd=folder,
                env={**emulator.environment, "TMPDIR": str(self.temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._output.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: re.search(rf"^Ready: ({re.escape(self.url)}\b|no API)", self.printed, re.MULTILINE))

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Return when `condition` is true; fail when the emulator ends before that or after READY_SECONDS."""
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.printed}"
            assert time.monotonic() < deadline, f"not within {READY_SECONDS} s:\n{self.printed}"
            time.sleep(0.1)

    def resource(self, logical_id: str) -> str:
        """Return the name, URL or ARN that the screen shows for a resource."""
        found = re.search(rf"^  {logical_id} +\S+ +(\S+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]

    @cached_property
    def session(self) -> boto3.Session:
        """boto3 as in a shell after `eval "$(sam-emulator env)"`, with the endpoint in `endpoint_url`."""
        done = self._emulator.run("env", folder=self.folder, TMPDIR=str(self.temporary))
        assert done.returncode == 0, done.stderr
        exported = dict(re.findall(r"^export (\w+)=(\S+)$", done.stdout, re.MULTILINE))
        self.endpoint_url = exported["AWS_ENDPOINT_URL"]
        return boto3.Session(
            exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"], region_name=exported["AWS_REGION"]
        )

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url)  # type: ignore[call-overload]

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return what is in a table of the template."""
        scanned: list[dict[str, Any]] = self.client("dynamodb").scan(TableName=self.resource(table))["Items"]
        return scanned

    def interrupt(self) -> list[psutil.Process]:
        """Press Ctrl-C; return the processes that ran until then."""
        processes = family(self.process.pid)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)
        return processes

    def interrupt_and_find_nothing(self) -> None:
        """Press Ctrl-C; fail unless it ends with 0 and leaves no process, no port and no temporary file."""
        processes = self.interrupt()
        assert self.process.returncode == 0, self.printed
        _, left = psutil.wait_procs(processes, timeout=GONE_SECONDS)
        assert left == []
        assert_no_process_names(str(self.folder))
        assert not accepts(self.port)
        assert [file.name for file in self.temporary.iterdir()] == []


@pytest.fixture(scope="session")
def installed_emulator(tmp_path_factory: pytest.TempPathFactory) -> InstalledEmulator:
    """The emulator, installed once for all processes that run tests: the first installs, the others wait for it.

    The runtime clients that its first use would install are linked from the checkout.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    installed = InstalledEmulator(folder / "home")
    with (folder / "home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache = installed.home / "cache"
        if not cache.exists():
            install(installed)
            cache.mkdir()
            (cache / "runtime").symlink_to(INSTALLED / "runtime")
    return installed


def install(emulator: InstalledEmulator) -> None:
    uv: list[str | Path] = [
        Path(sys.executable).parent / "uv",
        "tool",
        "install",
        "--quiet",
        "--python",
        sys.executable,
    ]
    cache = {name: os.environ[name] for name in ("UV_CACHE_DIR",) if name in os.environ}
    cache = cache or {"UV_CACHE_DIR": str(Path.home() / ".cache" / "uv")}
    done = subprocess.run(
        [*uv, REPOSITORY / "emulator"], env=emulator.environment | cache, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (tool,) = emulator.home.glob("tools/*/lib/python*/site-packages")
    link_bytecode(Path(sysconfig.get_path("purelib")), tool)


def link_bytecode(compiled: Path, site_packages: Path) -> None:
    """Give each module of `site_packages` that is the same file as in `compiled` the bytecode that is there.

    uv makes both of its cache's files. Without that each of five starts at once compiles the same thousand modules.
    """
    for bytecode in compiled.rglob(f"__pycache__/*.{sys.implementation.cache_tag}.pyc"):
        module = Path(importlib.util.source_from_cache(str(bytecode)))
        installed = site_packages / module.relative_to(compiled)
        if installed.exists() and module.exists() and installed.samefile(module):
            cache = installed.parent / bytecode.parent.name
            cache.mkdir(exist_ok=True)
            (cache / bytecode.name).symlink_to(bytecode)


@pytest.fixture(scope="module")
def copy_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that copies a project of this folder to where nothing of the repository is.

    The tests of a file share the copy: the first start builds, as the next ones of a person do not.
    """

    @functools.cache
    def copy(name: str) -> Path:
        folder = Path(shutil.copytree(PROJECTS / name, tmp_path_factory.mktemp(name) / name))
        for template in folder.glob("template.y*ml"):
            template.write_text(template.read_text().replace("python3.13", RUNTIME))
        return folder

    return copy


@pytest.fixture(scope="module")
def launch_project(
    installed_emulator: InstalledEmulator, copy_project: Callable[[str], Path]
) -> Iterator[Callable[..., StartedProject]]:
    """Return a function that starts the installed emulator in a folder, or in the copy of the project of that name."""
    launched: list[StartedProject] = []

    def launch(project: str | Path, *arguments: str, temporary: Path | None = None) -> StartedProject:
        folder = copy_project(project) if isinstance(project, str) else project
        launched.append(StartedProject(installed_emulator, folder, *arguments, temporary=temporary))
        return launched[-1]

    yield launch
    for project in launched:
        project.interrupt()
        shutil.rmtree(project.temporary, ignore_errors=True)
    for project in launched:
        assert_no_process_names(str(project.folder))


@pytest.fixture
def start_project(launch_project: Callable[..., StartedProject]) -> Callable[..., StartedProject]:
    """Return a function that starts the installed emulator in a copy of a project, and waits until it is ready."""

    def start(name: str, *arguments: str) -> StartedProject:
        project = launch_project(name, *arguments, "--parameter-overrides", f"Runtime={RUNTIME}")
        project.wait_until_ready()
        return project

    return start
