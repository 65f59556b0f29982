"""Verify a deployed stage: the smoke test at its URL, with its own key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from pipeline.stages import Clients, DeploymentError, Stage, read_outputs


def verify(stage: Stage, clients: Clients) -> None:
    """Run the smoke test against `stage`. Raises DeploymentError when there is no stack, or the test fails.

    The key for writes is read from the stage's secret and handed over in the environment alone. Says when nobody would
    hear of an alarm.
    """
    outputs = read_outputs(stage.stack, ("ApiUrl", "ApiKeySecretArn", "AlarmTopicArn"), clients("cloudformation"))
    if outputs is None:
        raise DeploymentError(f"There is no stack {stage.stack} in {stage.region}: `make deploy STAGE={stage.name}`.")
    warn_of_silence(outputs["AlarmTopicArn"], clients("sns"))
    key = read_key(outputs["ApiKeySecretArn"], clients("secretsmanager"))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stdout.write(f"::add-mask::{key}\n")  # the runner takes the line and hides the text from every log
        sys.stdout.flush()
    command = [sys.executable, "-m", "pipeline.smoke", outputs["ApiUrl"]]
    environment = {**os.environ, "INVENTORY_API_KEY": key}
    origin = stage.parameters.get("CorsAllowedOrigin", "*")
    if origin != "*":
        environment["CORS_ORIGIN"] = origin
    finished = subprocess.run(command, env=environment, check=False)
    if finished.returncode:
        raise DeploymentError(
            f"{stage.stack} does not do what it should: read the lines above, or `make rollback STAGE={stage.name}`."
        )


def warn_of_silence(topic_arn: str, sns: Any) -> None:
    """Write a line for each subscription of the topic that nobody has confirmed: SNS sends it nothing until then."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    for subscription in (one for page in pages for one in page["Subscriptions"]):
        if subscription["SubscriptionArn"] == "PendingConfirmation":
            sys.stdout.write(
                f"{subscription['Endpoint']} hears of no alarm until somebody follows the link that SNS sent there.\n"
            )
    sys.stdout.flush()


def read_key(secret_arn: str, secrets: Any) -> str:
    """Return the key that inventory writes need. Raises DeploymentError when the secret has none."""
    try:
        members = json.loads(secrets.get_secret_value(SecretId=secret_arn).get("SecretString", ""))
    except ValueError:
        members = None
    key = members.get("INVENTORY_API_KEY") if isinstance(members, dict) else None
    if not key or not isinstance(key, str):
        # Outside of the handler above: a traceback must not carry the text that was no JSON.
        raise DeploymentError(
            "The secret is no JSON object, or has no INVENTORY_API_KEY: put one in with `aws secretsmanager`."
        )
    return key
