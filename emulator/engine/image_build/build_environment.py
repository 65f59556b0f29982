"""The environment variables of what a build runs: the image's, and how this machine reaches a package index."""

from __future__ import annotations

import os
from collections.abc import Mapping

from emulator.interpreters import Interpreter

BASE: Mapping[str, str] = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
"""What Lambda's base images set (aws-lambda-base-images, Dockerfile of Python)."""
_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
)


def build_environment(image: Mapping[str, str], interpreter: Interpreter) -> dict[str, str]:
    """Return the environment of a command of the build; nothing else of the developer's shell gets into it."""
    index = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name in _NETWORK}
    return {
        **{name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ},  # settings of pip
        **index,
        **image,
        "PATH": f"{interpreter.path.parent}:/usr/local/bin:/usr/bin:/bin",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
