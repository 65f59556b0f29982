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

from lambda_http.problem import Problem, unavailable

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


def read_with_retries(call: Callable[[], T], *, budget: float = BUDGET_SECONDS) -> T:
    """Return what `call`, which changes nothing, returns; try for `budget` seconds.

    Raises Problem 503 when time is up, and botocore's ClientError for every answer that a repetition would not change.
    """

    def give_up(_: _Outcome) -> Problem:
        return unavailable("The data store is busy or away; try again in a moment.")

    return _repeat(call, give_up, repeats_unknown=True, budget=budget)


def write_with_retries(
    call: Callable[[], T], *, is_repeatable: bool, was_applied: bool = False, budget: float = BUDGET_SECONDS
) -> T:
    """Return what `call`, which changes something, returns; try for `budget` seconds.

    `is_repeatable` says that running twice does no harm; without it a call whose answer was lost is not tried again.
    `was_applied` says that an earlier call has made the client's change already.

    Raises Problem 503 with the member `outcome`: "not_applied" when certainly nothing was changed, "unknown" when the
    change may have been made. Without Retry-After sending the same request again could do harm. Raises botocore's
    ClientError for every answer that a repetition would not change.
    """

    def give_up(outcome: _Outcome) -> Problem:
        if outcome is _Outcome.NOT_APPLIED and not was_applied:
            return unavailable(
                "The data store is busy or away, and nothing was changed; try again in a moment.",
                members={"outcome": "not_applied"},
            )
        if is_repeatable:
            return unavailable(
                "The data store did not answer in time, so the change may have been made; sending the same request "
                "again does no harm.",
                members={"outcome": "unknown"},
            )
        return unavailable(
            "The data store did not answer in time, so the change may have been made; read the item before you send "
            "the request again.",
            None,
            members={"outcome": "unknown"},
        )

    return _repeat(call, give_up, repeats_unknown=is_repeatable, budget=budget)


def _repeat(
    call: Callable[[], T], give_up: Callable[[_Outcome], Problem], *, repeats_unknown: bool, budget: float
) -> T:
    deadline = time.monotonic() + budget
    pause = _FIRST_PAUSE_SECONDS
    worst = _Outcome.NOT_APPLIED
    while True:
        try:
            return call()
        except Exception as error:
            outcome = _classify(error)
            if outcome is _Outcome.ANSWERED:
                raise
            if outcome is _Outcome.UNKNOWN:
                worst = outcome
            # Not random: environments restored from one SnapStart snapshot share the state of the plain generator.
            wait = pause * secrets.randbelow(1_000) / 1_000
            is_late = time.monotonic() + wait > deadline
            if is_late or (outcome is _Outcome.UNKNOWN and not repeats_unknown):
                raise give_up(worst) from error
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
