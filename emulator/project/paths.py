"""Where an emulator keeps what it says: the state folder of a project, and a short folder for sockets."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.credentials import Endpoint, RootCredentials
from emulator.processes.process_identity import ProcessIdentity

if TYPE_CHECKING:
    from emulator.project.project import Project

STATE_FOLDER_VARIABLE = "EMULATOR_STATE"
SOCKETS_PREFIX = "sam-emulator"
"""What the names of folders for sockets begin with, below the folder for temporary files."""


@dataclass(frozen=True)
class RunningEmulator:
    """What a running emulator tells the other commands. `process` owns the backing services."""

    process: ProcessIdentity
    endpoint: Endpoint
    engine: str | None
    """Where the container engine answers, as `DOCKER_HOST` has it; None when an installed engine is used."""
    control_socket: str
    region: str
    sam_home: str
    """Where SAM CLI keeps its settings: a home may be read-only."""

    @property
    def endpoint_url(self) -> str:
        """Where AWS answers."""
        return self.endpoint.url


@dataclass(frozen=True)
class StatePaths:
    """The folder of one emulator's run. Two emulators of one machine never share one."""

    folder: Path

    @classmethod
    def of(cls, project: Project) -> StatePaths:
        """Return the folder that `EMULATOR_STATE` names, else the project's own."""
        return cls(Path(os.environ.get(STATE_FOLDER_VARIABLE) or project.state).resolve())

    @property
    def sockets(self) -> Path:
        """A folder with a short name: the path of a unix socket ends at 104 bytes on macOS, at 108 on Linux."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"{SOCKETS_PREFIX}-{os.getuid()}-{digest}"

    @property
    def engine_socket(self) -> Path:
        """Where the container engine answers: what `DOCKER_HOST` names."""
        return self.sockets / "engine.sock"

    @property
    def control_socket(self) -> Path:
        """Where the emulator takes `status`, `reset` and `stop`."""
        return self.sockets / "control.sock"

    @property
    def sam_environment(self) -> Path:
        """The file for `sam local --env-vars`: the functions' variables with the values of this run."""
        return self.folder / "sam-environment.json"

    @property
    def sam_pipe(self) -> Path:
        """The pipe in which `sam local start-api` waits for the same while the stack is made."""
        return self.sockets / "sam-environment"

    @property
    def sam_temporary(self) -> Path:
        """Where `sam local` has its temporary files, as long as the emulator runs: it leaves some behind."""
        return self.folder / "sam-temporary"

    @property
    def lock(self) -> Path:
        """The file that an emulator keeps locked while it uses this folder."""
        return self.folder / "emulator.lock"

    @property
    def ports(self) -> Path:
        """The file in which the ports of `start` are reserved."""
        return self.folder / "ports.lock"

    @property
    def log(self) -> Path:
        """What an emulator in the background prints."""
        return self.folder / "emulator.log"

    @property
    def ministack_log(self) -> Path:
        """What MiniStack writes."""
        return self.folder / "ministack.log"

    @property
    def valkey_log(self) -> Path:
        """What Valkey writes."""
        return self.folder / "valkey.log"

    @property
    def access_logs(self) -> Path:
        """The folder of the gateway's access logs, one for each stage of each API."""
        return self.folder / "access-logs"

    @property
    def _state(self) -> Path:
        return self.folder / "emulator.json"

    def write_running(self, running: RunningEmulator) -> None:
        """Tell the other commands that an emulator answers."""
        unfinished = self._state.with_suffix(".tmp")
        unfinished.write_text(json.dumps(asdict(running)))
        unfinished.replace(self._state)

    def forget_running(self) -> None:
        """Tell the other commands that none answers any more."""
        self._state.unlink(missing_ok=True)

    def running(self) -> RunningEmulator | None:
        """Return what the emulator of this folder wrote, or None when none wrote or its process is gone.

        Whether it answers is for `emulator.control` to find out.
        """
        try:
            told = json.loads(self._state.read_text())
            process, endpoint = ProcessIdentity(**told.pop("process")), told.pop("endpoint")
            root = RootCredentials(**endpoint.pop("root"))
            running = RunningEmulator(process, Endpoint(**endpoint, root=root), **told)
            return running if running.process.is_running() else None
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return None
