"""The options in the environment of `start` and `up`: the engine, IAM, strictness, another AWS endpoint."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request

from emulator.credentials import RootCredentials
from emulator.errors import EmulatorError

EXTERNAL_ROOT = RootCredentials("test", "test")
"""What emulators of AWS take for the root of their account by default."""
_ANSWER_SECONDS = 5


def runs_containers() -> bool:
    """Tell whether `ENGINE` asks for the installed container engine. Raises EmulatorError for what it cannot ask."""
    engine = os.environ.get("ENGINE", "")
    if engine not in ("", "docker"):
        raise EmulatorError(f"ENGINE={engine} is unknown: choose docker, or leave ENGINE away to run processes.")
    return engine == "docker"


def enforces_iam() -> bool:
    """Tell whether the policies of the template are enforced. Raises EmulatorError for what `ENFORCE_IAM` cannot be."""
    mode = os.environ.get("ENFORCE_IAM", "")
    if mode not in ("", "on", "off"):
        raise EmulatorError(
            f"ENFORCE_IAM={mode} is unknown: choose off to allow every call, or leave ENFORCE_IAM away to let the "
            "template's policies decide."
        )
    return mode != "off"


def is_strict() -> bool:
    """Tell whether `STRICT` asks that what is not emulated stops the start. Raises EmulatorError for another value."""
    choice = os.environ.get("STRICT", "")
    if choice not in ("", "0", "1"):
        raise EmulatorError(f"STRICT={choice} is unknown: choose 1, or leave STRICT away to be told and go on.")
    return choice == "1"


def throttles() -> bool:
    """Tell whether the gateway keeps to the template's throttles. Raises EmulatorError for an unknown `THROTTLE`."""
    choice = os.environ.get("THROTTLE", "")
    if choice not in ("", "on", "off"):
        raise EmulatorError(
            f"THROTTLE={choice} is unknown: choose off to admit every request, or leave THROTTLE away to let the "
            "template's settings decide."
        )
    return choice != "off"


def service_url(variable: str, key_variable: str, default: str = "") -> str:
    """Return the address in the environment's `variable`, else `default`.

    Raises EmulatorError when it holds a password: that goes into `key_variable`, which nobody shows.
    """
    url = os.environ.get(variable, "")
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    password, _, host = authority.rpartition("@")
    if password:
        raise EmulatorError(
            f"{variable} holds a user and a password: use {scheme}://{host}{slash}{path}, and put the key into "
            f"{key_variable}."
        )
    return url or default


def endpoint_url() -> str:
    """Return `AWS_ENDPOINT_URL`, "" for the embedded MiniStack. Raises EmulatorError when nothing answers there."""
    url = service_url("AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY")
    try:
        if url:
            with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS):  # noqa: S310 the user's own URL
                pass
    except urllib.error.HTTPError:
        pass  # an answer all the same
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise EmulatorError(
            f"AWS_ENDPOINT_URL={url} does not answer: start what listens there, "
            "or `unset AWS_ENDPOINT_URL` to use the embedded MiniStack."
        ) from error
    return url
