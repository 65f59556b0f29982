from __future__ import annotations

import time
from typing import Any

import pytest
from app.retries import with_retries
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
@pytest.mark.parametrize("repeatable", [True, False])
def test_what_had_no_effect_is_tried_again(error: Exception, *, repeatable: bool) -> None:
    call = Call(error, error)

    assert with_retries(call, repeatable=repeatable) == "done"
    assert call.count == 3


@pytest.mark.parametrize("error", UNKNOWN)
def test_what_may_have_had_its_effect_is_tried_again_only_when_harmless(error: Exception) -> None:
    assert with_retries(Call(error), repeatable=True) == "done"
    call = Call(error)

    with pytest.raises(Problem) as refusal:
        with_retries(call, repeatable=False)

    assert (refusal.value.status, call.count) == (503, 1)


@pytest.mark.parametrize("error", ANSWERED)
def test_an_answer_goes_to_the_caller(error: Exception) -> None:
    call = Call(error)

    with pytest.raises(type(error)):
        with_retries(call, repeatable=True)

    assert call.count == 1


def test_it_gives_up_within_its_budget(clock: list[float]) -> None:
    call = Call(*[answer("ThrottlingException")] * 10_000)

    with pytest.raises(Problem) as refusal:
        with_retries(call, repeatable=True, budget=3.0)

    assert refusal.value.status == 503
    assert refusal.value.headers == {"Retry-After": "1"}
    assert 2.5 < clock[0] <= 3.05
    assert call.count < 60
