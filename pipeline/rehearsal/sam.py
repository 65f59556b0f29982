"""The unmodified `sam`, run against the emulated account; what it says is kept in one log."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from emulator.credentials import Endpoint
from emulator.processes.attached_process import AttachedProcess
from emulator.sam.sam_cli import FOREIGN_VARIABLES, TOOLS
from pipeline.rehearsal.errors import RehearsalError
from pipeline.rehearsal.settings import ENVIRONMENT
from sam_template.repository import REPOSITORY, SAMCONFIG

_TAIL_LINES: Final = 40
_POLL_SECONDS: Final = "0.3"
_GRACE_SECONDS: Final = 3.0


class Commands:
    """Runs commands one after the other in the environment of the emulated account.

    `log` takes what they say; with `verbose` it is shown too. `endpoint` is where every AWS service answers.
    `scratch` is for their temporary files: sam leaves some when it is stopped.
    """

    def __init__(self, endpoint: Endpoint, region: str, log: Path, scratch: Path, *, verbose: bool) -> None:
        self._log = log
        self._verbose = verbose
        self._environment = _environment(os.environ, endpoint, region) | {"TMPDIR": str(scratch)}

    async def sam(self, verb: str, *arguments: str, fails: bool = False) -> str:
        """Run `sam VERB --config-env rehearsal ARGUMENTS` and return what it said.

        Raises RehearsalError with the end of that when it fails, or, with `fails`, when it does not.
        """
        # Named, because sam looks for it beside the template that is deployed.
        configuration = ["--config-file", str(SAMCONFIG), "--config-env", ENVIRONMENT]
        command = [str(TOOLS / "sam"), verb, *configuration, *arguments]
        return await self.run(f"sam {verb}", command, fails=fails)

    async def python(self, *arguments: str, variables: Mapping[str, str]) -> str:
        """Run a module of this repository and return what it said. Raises RehearsalError as `sam` does."""
        return await self.run(f"python {' '.join(arguments)}", [sys.executable, *arguments], variables=variables)

    async def run(
        self, name: str, command: list[str], *, variables: Mapping[str, str] | None = None, fails: bool = False
    ) -> str:
        """Run `command` in the checkout; see `sam`."""
        process = await AttachedProcess.start(
            command,
            env=self._environment | dict(variables or {}),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            grace=_GRACE_SECONDS,
        )
        try:
            said = await self._read(process)
            status = await process.wait()
        finally:
            await process.terminate(_GRACE_SECONDS)
        if (status != 0) != fails:
            end = "\n".join(said.strip().splitlines()[-_TAIL_LINES:])
            outcome = "succeeded and should have failed" if fails else f"ended with status {status}"
            raise RehearsalError(f"{name} {outcome}:\n{end}")
        return said

    async def _read(self, process: AttachedProcess) -> str:
        assert process.stdout is not None  # noqa: S101 (a pipe, see above)
        said = []
        with self._log.open("ab") as log:
            while line := await process.stdout.readline():
                log.write(line)
                said.append(line.decode(errors="replace"))
                if self._verbose:
                    sys.stdout.write(said[-1])
        return "".join(said)


def _environment(inherited: Mapping[str, str], endpoint: Endpoint, region: str) -> dict[str, str]:
    """Return the environment in which sam meets the emulated account and no other."""
    kept = {name: value for name, value in inherited.items() if name not in FOREIGN_VARIABLES}
    return kept | {
        **endpoint.root.environment(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": endpoint.url,
        "PACKAGE_FOR": "local",
        "PATH": os.pathsep.join((str(TOOLS), inherited.get("PATH", os.defpath))),
        # How long sam sleeps between two looks at a stack (`sam deploy --help`); an emulated one is quick.
        "SAM_CLI_POLL_DELAY": _POLL_SECONDS,
        "SAM_CLI_TELEMETRY": "0",
    }
