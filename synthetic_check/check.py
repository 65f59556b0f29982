"""The smoke test on a schedule: the shop as its callers see it, by the checks that neither write nor ask Claude.

A check that fails ends the invocation with an error, which the alarm SyntheticCheckErrorsAlarm counts.
"""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from __future__ import annotations

import logging
import os
import time

from pipeline.smoke import checks
from pipeline.smoke.client import Deployment, UnexpectedError, UnreachableError

CHECKS = (checks.alive, checks.ready, checks.described, checks.error_response, checks.missing_file, checks.chat_page)
SECONDS = 50.0
"""All checks together; the function's Timeout is longer, so that the sentence is written."""
logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)


class SyntheticCheckError(Exception):
    """The shop does not answer as it should; the message says each thing that came instead."""


def lambda_handler(event: object, context: object) -> dict[str, int]:  # noqa: ARG001
    """Check the deployment at API_URL; return how many checks passed. Raises SyntheticCheckError."""
    shop = Deployment(os.environ["API_URL"], deadline=time.monotonic() + SECONDS)
    complaints = []
    for check in CHECKS:
        try:
            check(shop)
        except (UnexpectedError, UnreachableError) as error:
            complaints.append(f"{check.__name__}: {error}")
    if complaints:
        for complaint in complaints:
            logger.error(complaint)
        raise SyntheticCheckError(" ".join(complaints))
    return {"passed": len(CHECKS)}
