"""Durable functions where the emulator of durable executions does not run: `sam local` says so in a sentence.

For a function with `DurableConfig` SAM CLI 1.170 starts a container of an emulator of durable executions
(`samcli/local/docker/durable_functions_emulator_container.py`). When it cannot pull the image it ends with a traceback.
When a container of its name runs already, it goes on to make the function's own, and shows why that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from emulator.processes.ports import accepts

EMULATOR_CONTAINER: Final = "sam-durable-execution-emulator"
_EMULATOR_ADDRESS: Final = re.compile(r"AWS_ENDPOINT_URL_LAMBDA=http://host\.docker\.internal:(\d{1,5})")
_HOST_GATEWAY: Final = "host.docker.internal:host-gateway"
_REFUSAL: Final = (
    "A durable function needs AWS's emulator of durable executions: `pip install "
    "aws-durable-execution-sdk-python-testing`, let `dex-local-runner start-server --host 127.0.0.1 --port 9014` run, "
    "and try again with DURABLE_EXECUTIONS_EXTERNAL_EMULATOR_PORT=9014."
)


def emulator_inspection() -> dict[str, Any]:
    """Return what `GET /containers/{name}/json` answers for the emulator of durable executions."""
    return {
        "Id": EMULATOR_CONTAINER,
        "Name": f"/{EMULATOR_CONTAINER}",
        "State": {"Status": "running", "Running": True},
        "Config": {"Tty": False},
    }


def refusal(body: Mapping[str, Any]) -> str:
    """Return why the container of that create call is refused, "" when it is not.

    A durable function's is known by how it finds the emulator. It runs when one answers on this machine, as
    DURABLE_EXECUTIONS_EXTERNAL_EMULATOR_PORT tells SAM CLI.
    """
    hosts = (body.get("HostConfig") or {}).get("ExtraHosts") or []
    found = next(filter(None, map(_EMULATOR_ADDRESS.fullmatch, body.get("Env") or [])), None)
    return _REFUSAL if found and _HOST_GATEWAY in hosts and not accepts(int(found[1])) else ""
