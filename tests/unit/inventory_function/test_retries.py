from __future__ import annotations

import time
from typing import Any

import pytest
from app.retries import read_with_retries, write_with_retries
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError

from lambda_http.problem import Problem


def answer(code: str, status: int = 400, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "UpdateItem")


def cancelled(*codes: str) -> ClientError:
    return answer("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


NOT_APPLIED = [
    answer("ThrottlingException"),
    answer("TransactionConflictException"),
    answer("TransactionInProgressException"),
    cancelled("TransactionConflict"),
    cancelled("None", "ThrottlingError"),
    ConnectTimeoutError(endpoint_url="http://x"),
]
UNKNOWN = [answer("InternalServerError", 500), ReadTimeoutError(endpoint_url="http://x")]
ANSWERED = [
    answer("ConditionalCheckFailedException"),
    answer("AccessDeniedException"),
    cancelled("ConditionalCheckFailed"),
    cancelled("None"),
    NoCredentialsError(),
    ValueError(),
]


class Call:
    def __init__(self, *errors: Exception) -> None:
        self.errors = iter(errors)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        for error in self.errors:
            raise error
        return "done"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time passes only while the code sleeps."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds + 0.01

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    return now


@pytest.mark.parametrize("error", NOT_APPLIED)
@pytest.mark.parametrize("is_repeatable", [True, False])
def test_what_had_no_effect_is_tried_again(error: Exception, *, is_repeatable: bool) -> None:
    call = Call(error, error)

    assert write_with_retries(call, is_repeatable=is_repeatable) == "done"
    assert call.count == 3


@pytest.mark.parametrize("error", UNKNOWN)
def test_what_may_have_had_its_effect_is_tried_again_only_when_harmless(error: Exception) -> None:
    assert write_with_retries(Call(error), is_repeatable=True) == "done"
    assert read_with_retries(Call(error)) == "done"
    call = Call(error)

    with pytest.raises(Problem) as refusal:
        write_with_retries(call, is_repeatable=False)

    assert (refusal.value.status, call.count) == (503, 1)


@pytest.mark.parametrize("error", ANSWERED)
def test_an_answer_goes_to_the_caller(error: Exception) -> None:
    for call in (Call(error), Call(error)):
        with pytest.raises(type(error)):
            write_with_retries(call, is_repeatable=True)
        assert call.count == 1
    with pytest.raises(type(error)):
        read_with_retries(Call(error))


BUSY = answer("ThrottlingException")
LOST = ReadTimeoutError(endpoint_url="http://x")


@pytest.mark.parametrize(
    ("errors", "is_repeatable", "was_applied", "outcome", "retry_after", "advice"),
    [
        ([BUSY], True, False, "not_applied", "1", "nothing was changed; try again"),
        ([BUSY], False, False, "not_applied", "1", "nothing was changed; try again"),
        ([LOST], True, False, "unknown", "1", "sending the same request again does no harm"),
        ([LOST], False, False, "unknown", None, "read the item before you send the request again"),
        # What may have been made once stays so, whatever comes after it
        ([LOST, BUSY], True, False, "unknown", "1", "does no harm"),
        ([BUSY, LOST], False, False, "unknown", None, "read the item"),
        # The time of an adjustment that was made
        ([BUSY], True, True, "unknown", "1", "does no harm"),
    ],
)
def test_a_write_that_gives_up_says_whether_the_change_may_have_been_made(
    errors: list[Exception],
    *,
    is_repeatable: bool,
    was_applied: bool,
    outcome: str,
    retry_after: str | None,
    advice: str,
) -> None:
    call = Call(*errors, *[errors[-1]] * 10_000)

    with pytest.raises(Problem, match=advice) as refusal:
        write_with_retries(call, is_repeatable=is_repeatable, was_applied=was_applied)

    assert refusal.value.status == 503
    assert refusal.value.members == {"outcome": outcome}
    assert refusal.value.headers.get("Retry-After") == retry_after


@pytest.mark.parametrize("error", [BUSY, LOST])
def test_a_read_that_gives_up_says_to_try_again(error: Exception) -> None:
    with pytest.raises(Problem, match="busy or away; try again") as refusal:
        read_with_retries(Call(*[error] * 10_000))

    assert (refusal.value.headers, refusal.value.members) == ({"Retry-After": "1"}, {})


def test_it_gives_up_within_its_budget(clock: list[float]) -> None:
    call = Call(*[BUSY] * 10_000)

    with pytest.raises(Problem):
        write_with_retries(call, is_repeatable=True, budget=3.0)

    assert 2.5 < clock[0] <= 3.05
    assert call.count < 60
