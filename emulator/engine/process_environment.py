"""The environment variables of an execution environment's process.

Source: AWS Lambda Developer Guide, "Using Lambda environment variables", "Defined runtime environment variables".
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from emulator.engine.function import CONCURRENCY_VARIABLE, Function
from emulator.engine.places import Places

_NETWORK = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
)
"""How this machine reaches the internet. Nothing else of the developer's shell gets into a function."""

_NOT_FOR_THE_RUNTIME = (CONCURRENCY_VARIABLE,)
"""awslambdaric 4 would serve several requests in one process: the engine starts several processes instead."""

_ENDPOINT = "AWS_ENDPOINT_URL"


def process_environment(
    function: Function,
    *,
    places: Places,
    runtime_api: str,
    account: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of the function's process.

    `account` are the variables by which an AWS SDK finds the account: endpoint, region, credentials. They replace what
    SAM CLI passes from the developer's shell. An endpoint that the template declares is kept, unless it is empty.
    """
    declared = {name: value for name, value in function.variables.items() if name not in _NOT_FOR_THE_RUNTIME}
    task_root = places.task_root
    if declared.get(_ENDPOINT):
        account = {name: value for name, value in account.items() if name != _ENDPOINT}
    search_path = [*places.packages, places.runtime_dir]
    interpreters = str(Path(places.interpreter).parent)
    if function.is_debugged:
        search_path.insert(0, task_root)  # the debugger is in the function's package
    variables = {
        **{name: os.environ[name] for name in _NETWORK if name in os.environ},
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": ":".join((interpreters, "/usr/local/bin:/usr/bin:/bin", *(f"{each}/bin" for each in places.layers))),
        "LD_LIBRARY_PATH": ":".join((task_root, f"{task_root}/lib", *(f"{each}/lib" for each in places.layers))),
        "PYTHONPATH": os.pathsep.join(search_path),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **declared,
        **account,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": task_root,
        "LAMBDA_RUNTIME_DIR": places.runtime_dir,
        "_HANDLER": function.handler,
        # A home of its own keeps ~/.aws and the like out of the function; Lambda has no home folder either.
        "HOME": places.temp_dir,
    }
    if places.file_system is None:
        variables["TMPDIR"] = places.temp_dir
    if "PYTHONPATH" in declared:
        entries = declared["PYTHONPATH"].split(os.pathsep)
        variables["PYTHONPATH"] = os.pathsep.join(path for entry in entries for path in places.of_container(entry))
    if "AWS_ACCESS_KEY_ID" in account and "AWS_SESSION_TOKEN" not in account:
        variables.pop("AWS_SESSION_TOKEN", None)
    if any(name.lower() in ("http_proxy", "https_proxy") for name in variables):
        reached_directly = [variables.get("NO_PROXY"), variables.get("no_proxy"), "127.0.0.1", "localhost"]
        variables["NO_PROXY"] = variables["no_proxy"] = ",".join(filter(None, reached_directly))
    return variables
