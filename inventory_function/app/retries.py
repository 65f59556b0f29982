"""Retries of calls to AWS: within a budget of time, and never twice when that could count twice.

Codes: Amazon DynamoDB Developer Guide, "Error handling with DynamoDB". The budgets keep two calls in a row, each
ending in a connect and a read timeout, inside the function's 15 seconds.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

from lambda_http.problem import unavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

T = TypeVar("T")

BUDGET_SECONDS = 5.0
FOLLOW_UP_BUDGET_SECONDS = 1.5
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.4

_NOT_APPLIED = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class _Outcome(Enum):
    ANSWERED = auto()  # the caller must look at the error
    NOT_APPLIED = auto()  # certainly without effect
    UNKNOWN = auto()  # may have had its effect


def with_retries(call: Callable[[], T], *, repeatable: bool, budget: float = BUDGET_SECONDS) -> T:
    """Return what `call` returns, trying for `budget` seconds against contention, throttling and lost connections.

    `repeatable` says that running twice does no harm; without it a call whose answer was lost is not tried again.
    Raises Problem 503 when time is up or the outcome is unknown, and botocore's ClientError for every answer that a
    repetition would not change.
    """
    deadline = time.monotonic() + budget
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return call()
        except Exception as error:
            outcome = _classify(error)
            if outcome is _Outcome.ANSWERED:
                raise
            if outcome is _Outcome.UNKNOWN and not repeatable:
                raise unavailable(
                    "The data store did not answer; the change may be made, so read the item before trying again."
                ) from error
            # Not random: environments restored from one SnapStart snapshot share the state of the plain generator.
            wait = pause * secrets.randbelow(1_000) / 1_000
            if time.monotonic() + wait > deadline:
                raise unavailable("The data store is busy or away; try again in a moment.") from error
        time.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _classify(error: Exception) -> _Outcome:
    from botocore.exceptions import (
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
        IncompleteReadError,
    )

    if isinstance(error, ClientError):
        return _classify_answer(error)
    if isinstance(error, (ConnectTimeoutError, EndpointConnectionError)):
        return _Outcome.NOT_APPLIED
    if isinstance(error, (HTTPClientError, IncompleteReadError)):
        return _Outcome.UNKNOWN
    return _Outcome.ANSWERED


def _classify_answer(error: ClientError) -> _Outcome:
    codes = {error.response.get("Error", {}).get("Code", "")}
    if codes == {"TransactionCanceledException"}:
        # Each action of the transaction has a reason; "None" for those that would have gone through.
        codes = {str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])} - {"None"}
    if codes and codes <= _NOT_APPLIED:
        return _Outcome.NOT_APPLIED
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return _Outcome.UNKNOWN
    return _Outcome.ANSWERED


def error_code(error: ClientError) -> str:
    """Return the code of AWS in `error`, such as ConditionalCheckFailedException."""
    return error.response.get("Error", {}).get("Code", "")
