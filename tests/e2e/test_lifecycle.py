"""Whatever starts, stops: Ctrl-C, a kill, a crash of any part. What people meet is one sentence."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.ports import accepts, free_port
from emulator.processes.process_identity import ProcessIdentity
from emulator.project.paths import STATE_FOLDER_VARIABLE, RunningEmulator, StatePaths
from sam_template.repository import REPOSITORY
from tests.e2e.conftest import API_SERVERS, Started, make_start
from tests.e2e.processes import assert_nothing_left, family
from tests.e2e.small_checkout import make_small_checkout


@pytest.fixture
def own_paths(tmp_path: Path) -> StatePaths:
    return StatePaths(tmp_path / "run")


@pytest.fixture
def environment(own_paths: StatePaths) -> dict[str, str]:
    shell = {name: value for name, value in os.environ.items() if name not in ("AWS_ENDPOINT_URL", "DOCKER_HOST")}
    return {**shell, STATE_FOLDER_VARIABLE: str(own_paths.folder)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that starts quickly, with every kind of process that the shop has."""
    return make_small_checkout(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def checkouts(small: Path) -> dict[str, Path]:
    return {"shop": REPOSITORY, "small": small}


@pytest.fixture
def started(
    tmp_path: Path, environment: dict[str, str], checkouts: dict[str, Path], request: pytest.FixtureRequest
) -> Iterator[Started]:
    """A `make start`; a test chooses the checkout and what serves its API by an indirect parameter."""
    checkout, front = request.param.split()
    started = make_start(tmp_path, environment=environment, checkout=checkouts[checkout], front=front)
    try:
        started.wait_until_ready()
        yield started
    finally:
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait()


def the_process(started: Started, *words: str) -> psutil.Process:
    """Return the one process of the run whose command line has `words`, and not the wrapper that watches it."""
    matching = [process for process in family(started.process.pid) if _has(process, words)]
    assert matching, f"no process has {words}"
    return matching[-1]


def _has(process: psutil.Process, words: tuple[str, ...]) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
    return (
        all(word in command for word in words) and "attached_process" not in command and not command.startswith("make")
    )


def ctrl_c(started: Started) -> None:
    os.killpg(started.process.pid, signal.SIGINT)  # a terminal signals the whole foreground group


def terminate_make(started: Started) -> None:
    started.process.terminate()


def kill_make(started: Started) -> None:
    started.process.kill()


def hang_up(started: Started) -> None:
    os.killpg(started.process.pid, signal.SIGHUP)


def kill_sam(started: Started) -> None:
    the_process(started, "sam", "start-api").kill()


def kill_emulator(started: Started) -> None:
    the_process(started, "-m emulator start").kill()


def kill_ministack(started: Started) -> None:
    the_process(started, "ministack").kill()


def kill_valkey(started: Started) -> None:
    next(each for each in family(started.process.pid) if each.name().startswith("valkey")).kill()


def kill_what_watches_valkey(started: Started) -> None:
    valkey = next(each for each in family(started.process.pid) if each.name().startswith("valkey"))
    watcher = valkey.parent()
    assert watcher is not None
    watcher.kill()


ENDS = (
    ("shop sam", ctrl_c, ""),
    ("small sam", kill_make, ""),
    *(("small gateway", end, "") for end in (ctrl_c, terminate_make, hang_up)),
    ("small gateway", kill_ministack, "MiniStack ended with status 137"),
    ("small gateway", kill_valkey, "Valkey ended with status 137"),
    ("small gateway", kill_what_watches_valkey, "Valkey ended with status 137"),
    ("small sam", kill_sam, "sam local start-api ended with status 137"),
)
"""What runs and serves the API, what ends the run, and the sentence that says so when nobody asked for the end."""


@pytest.mark.parametrize(("started", "end", "sentence"), ENDS, indirect=["started"])
def test_nothing_is_left_however_a_run_ends(
    end: Callable[[Started], None], sentence: str, started: Started, own_paths: StatePaths
) -> None:
    # GIVEN a run that has answered a request, so that every process exists
    assert httpx.get(started.url, timeout=60).status_code == 200
    processes = family(started.process.pid)
    running = own_paths.running()
    assert running is not None
    # WHEN it ends
    end(started)
    # THEN everything is gone, and what ended by itself is named
    status = started.process.wait(30)
    assert_nothing_left(processes, own_paths, started.port, int(running.endpoint_url.rpartition(":")[2]))
    assert status != 0 or not sentence
    assert sentence in started.printed
    # SAM CLI prints one of its own, which ends so, where it is told to end while it takes a connection.
    of_sam = started.printed.count("\nsamcli.local.docker.exceptions.ProcessSigTermException\n")
    assert started.printed.count("Traceback") == of_sam


@pytest.mark.parametrize("started", ["small sam"], indirect=True)
def test_a_killed_emulator_leaves_no_process_and_the_next_start_works(
    started: Started, own_paths: StatePaths, environment: dict[str, str], small: Path, tmp_path: Path
) -> None:
    processes = family(started.process.pid)
    kill_emulator(started)
    psutil.wait_procs(processes, timeout=20)
    assert [process for process in processes if process.is_running()] == []
    again = make_start(tmp_path, environment=environment, checkout=small, front="gateway")
    again.wait_until_ready()
    left = family(again.process.pid)
    again.process.terminate()
    assert_nothing_left(left, own_paths, again.port)
    again.process.wait()


def emulator(*arguments: str, environment: dict[str, str], checkout: Path) -> subprocess.Popen[str]:
    """Run a command of the emulator as a child of this process, which reaps it when it likes."""
    return subprocess.Popen(
        [sys.executable, "-m", "emulator", *arguments],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_running(paths: StatePaths, process: subprocess.Popen[str]) -> RunningEmulator:
    deadline = time.monotonic() + 60
    while (running := paths.running()) is None:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return running


def test_a_start_right_after_a_kill_of_everything_works_though_the_killed_one_is_not_reaped_yet(
    own_paths: StatePaths, environment: dict[str, str], small: Path
) -> None:
    killed = emulator("serve", environment=environment, checkout=small)
    processes = []
    try:
        wait_until_running(own_paths, killed)
        processes = family(killed.pid)
        os.killpg(killed.pid, signal.SIGKILL)
        os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
        again = make("up", environment=environment, checkout=small)
        assert again.returncode == 0, again.stderr
        running = own_paths.running()
        assert running is not None
        assert running.process.pid != killed.pid
        assert make("status", environment=environment, checkout=small).returncode == 0
    finally:
        make("down", environment=environment, checkout=small)
        killed.communicate()
    assert_nothing_left(processes, own_paths)


def test_a_process_that_has_the_id_of_a_dead_emulator_is_left_alone(
    own_paths: StatePaths, environment: dict[str, str]
) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        reused = ProcessIdentity(bystander.pid, "before it began")
        own_paths.folder.mkdir()
        own_paths.write_running(
            RunningEmulator(
                reused,
                Endpoint("http://127.0.0.1:1", RootCredentials.random()),
                None,
                str(own_paths.control_socket),
                "us-east-1",
                "",
            )
        )
        for verb in ("status", "env", "reset"):
            done = make(verb, environment=environment)
            assert done.returncode != 0
            assert done.stdout == ""
            assert "No emulator is running: `make up`" in done.stderr
        assert make("down", environment=environment).stdout == "No emulator is running.\n"
        assert bystander.poll() is None
        bystander.kill()


def test_an_emulator_that_does_not_answer_is_not_exported_and_down_ends_it(
    own_paths: StatePaths, environment: dict[str, str], small: Path
) -> None:
    assert make("up", environment=environment, checkout=small).returncode == 0
    running = own_paths.running()
    assert running is not None
    processes = family(running.process.pid)
    os.kill(running.process.pid, signal.SIGSTOP)
    try:
        for verb in ("env", "up"):
            done = make(verb, environment=environment, checkout=small)
            assert done.returncode != 0
            assert done.stdout == ""
            assert "does not answer: `make down` ends it" in done.stderr
    finally:
        down = make("down", environment=environment, checkout=small)
    assert down.stdout == "Stopped.\n"
    assert_nothing_left(processes, own_paths)


def test_of_two_starts_at_once_one_starts_the_emulator_and_the_other_uses_it(
    own_paths: StatePaths, environment: dict[str, str], small: Path, tmp_path: Path
) -> None:
    for front in API_SERVERS:
        (tmp_path / front).mkdir()
    one, two = (
        make_start(tmp_path / front, environment=environment, checkout=small, front=front) for front in API_SERVERS
    )
    processes = []
    try:
        for started in (one, two):
            started.wait_until_ready()
            assert httpx.get(started.url, timeout=60).status_code == 200
        processes = [*family(one.process.pid), *family(two.process.pid)]
        assert len([each for each in processes if "ministack_launcher" in " ".join(each.cmdline())]) == 2  # a watcher
        owner = own_paths.running()
        assert owner is not None
        first, second = (
            (one, two) if owner.process.pid in {each.pid for each in family(one.process.pid)} else (two, one)
        )
        second.process.terminate()
        second.process.wait(30)
        assert httpx.get(first.url, timeout=60).status_code == 200
    finally:
        for started in (one, two):
            started.process.terminate()
            started.process.wait(30)
    assert_nothing_left(processes, own_paths, one.port, two.port)


def test_of_two_starts_on_one_port_one_serves_and_the_other_says_that_the_port_is_taken(
    own_paths: StatePaths, environment: dict[str, str], small: Path
) -> None:
    port = free_port()
    command = ("start", "--front", "gateway", "--port", str(port))
    both = [emulator(*command, environment=environment, checkout=small) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while all(each.poll() is None for each in both):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (loser,) = (each for each in both if each.poll() is not None)
        assert loser.returncode == 1
        assert f"Port {port} is taken" in loser.communicate()[1]
        while not accepts(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert httpx.get(f"http://127.0.0.1:{port}", timeout=30).status_code == 200
    finally:
        for each in both:
            each.terminate()
            each.communicate(timeout=30)


def make(*arguments: str, environment: dict[str, str], checkout: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=checkout, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("front", API_SERVERS)
def test_a_busy_port_is_named_with_the_remedy(front: str, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = make("start", f"PORT={port}", f"FRONT={front}", environment=environment)
    assert done.returncode != 0
    assert f"Port {port} is taken" in done.stderr
    assert f"PORT={port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_front_that_is_none_is_refused(environment: dict[str, str]) -> None:
    done = make("start", "FRONT=magic", environment=environment)
    assert done.returncode != 0
    assert "FRONT=magic is unknown: choose sam or gateway" in done.stderr


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str, environment: dict[str, str]) -> None:
    done = make("start", f"PORT={port}", environment=environment)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "port" in done.stderr.lower()


def test_the_background_emulator_starts_says_resets_and_stops(
    own_paths: StatePaths, environment: dict[str, str]
) -> None:
    own_paths.folder.mkdir()
    for file in (own_paths.log, own_paths.ministack_log, own_paths.sam_environment):
        file.write_text("of an earlier run")
        file.chmod(0o644)
    up = make("up", environment=environment)
    assert up.returncode == 0, up.stderr
    state = [file for file in own_paths.folder.iterdir() if file.name != "build"]
    assert [file for file in (*state, own_paths.sockets) if file.stat().st_mode & 0o077] == []
    running = own_paths.running()
    assert running is not None
    processes = family(running.process.pid)
    try:
        assert running.endpoint_url in make("status", environment=environment).stdout
        exports = make("env", environment=environment).stdout
        assert f"export AWS_ENDPOINT_URL={running.endpoint_url}\n" in exports
        assert f"export DOCKER_HOST=unix://{own_paths.engine_socket}\n" in exports
        assert "items" in make("reset", environment=environment).stdout
        again = make("up", environment=environment)
        assert again.returncode == 0
        assert own_paths.running() == running
    finally:
        down = make("down", environment=environment)
    assert down.returncode == 0
    assert_nothing_left(processes, own_paths)
    assert "No emulator is running" in make("down", environment=environment).stdout


@pytest.mark.parametrize("verb", ["status", "reset", "env"])
def test_without_an_emulator_the_commands_say_how_to_start_one(verb: str, environment: dict[str, str]) -> None:
    done = make(verb, environment=environment)
    assert done.returncode != 0
    assert "No emulator is running: `make up`" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name a function of the template and a file with its event, for example `make invoke"),
        (["FUNCTION=InventoryFunction", "EVENT=events/none.json"], "events/none.json cannot be read"),
        (["FUNCTION=InventoryFunction", "EVENT=Makefile"], "Makefile is not JSON"),
    ],
)
def test_an_invocation_that_cannot_be_is_refused(
    arguments: list[str], sentence: str, environment: dict[str, str]
) -> None:
    done = make("invoke", *arguments, environment=environment)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS_ENDPOINT_URL=http://127.0.0.1:1 does not answer"),
        ({"ENGINE": "docker", "DOCKER_HOST": "unix:///nowhere"}, "ENGINE=docker needs a container engine"),
        ({"ENGINE": "magic"}, "ENGINE=magic is unknown"),
        ({"ES_URL": "http://u:pw@es:9200"}, "ES_URL holds a user and a password: use http://es:9200, and put the key"),
        ({"AWS_ENDPOINT_URL": "http://u:p@w@x/y"}, "AWS_ENDPOINT_URL holds a user and a password: use http://x/y, "),
        ({"AWS_ENDPOINT_URL": "no address"}, "AWS_ENDPOINT_URL=no address does not answer"),
        (
            {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://u:pw@claude"},
            "ANTHROPIC_BASE_URL holds a user and a password: use https://claude",
        ),
    ],
)
def test_a_backing_service_that_is_not_there_is_named(
    setting: dict[str, str], sentence: str, environment: dict[str, str], own_paths: StatePaths
) -> None:
    # not through make, which would build anew for containers
    command = [sys.executable, "-m", "emulator", "start", "--port", str(free_port())]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment | setting, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not own_paths.sockets.exists()
