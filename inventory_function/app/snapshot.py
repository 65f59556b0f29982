"""What a SnapStart snapshot holds beside the imports: what routes otherwise make at their first use.

A snapshot is taken once, when a version is published, and every execution environment starts from it: there, laziness
would make each of them pay for what one could have paid for. Clients hold no connection yet, and their credentials are
refreshed when they have expired.

Source: AWS Lambda Developer Guide, "Improving startup performance with Lambda SnapStart" and "Defined runtime
environment variables".
"""

from __future__ import annotations

import os

from app import clients


def prepare() -> None:
    """Make the AWS clients when Lambda is about to take a snapshot; do nothing otherwise."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        clients.dynamodb()
        clients.s3()
        clients.secretsmanager()
