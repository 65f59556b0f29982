"""What a SnapStart snapshot holds beside the imports: what routes otherwise make at their first use.

A snapshot is taken once, when a version is published, and every execution environment starts from it: there, laziness
would make each of them pay for what one could have paid for. Nothing here opens a connection or reads the secret, and
credentials are refreshed when they have expired.

Source: AWS Lambda Developer Guide, "Improving startup performance with Lambda SnapStart" and "Defined runtime
environment variables".
"""

from __future__ import annotations

import importlib
import os

from flask import Flask

from shopping_bot import extensions

_LIBRARIES = ("concurrent.futures", "redis.backoff", "redis.exceptions", "redis.retry", "urllib3.exceptions")


def prepare(application: Flask) -> None:
    """Make the extensions and the AWS clients when Lambda is about to take a snapshot; do nothing otherwise."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    from shopping_bot import clients

    for library in _LIBRARIES:
        importlib.import_module(library)
    clients.dynamodb()
    clients.secretsmanager()
    extensions.make_all(application)
