from __future__ import annotations

import json

import pytest

from lambda_http.problem import Problem, unavailable


def test_a_problem_is_an_object_of_rfc_9457() -> None:
    problem = Problem(404, "There is no such item.", members={"errors": [{"detail": "x"}]})

    assert json.loads(problem.body("id-1")) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such item.",
        "request_id": "id-1",
        "errors": [{"detail": "x"}],
    }
    assert str(problem) == "There is no such item."


@pytest.mark.parametrize(
    ("status", "phrase"), [(413, "Content Too Large"), (414, "URI Too Long"), (422, "Unprocessable Content")]
)
def test_the_title_is_the_phrase_of_rfc_9110_whatever_python_says(status: int, phrase: str) -> None:
    assert json.loads(Problem(status, "x").body("-"))["title"] == phrase


def test_half_a_surrogate_pair_does_not_make_the_answer_fail() -> None:
    assert b"\\ud800" in Problem(422, "not \ud800").body("-")


def test_what_is_unavailable_says_when_to_come_back_or_that_it_cannot_help() -> None:
    assert (unavailable("busy").status, unavailable("busy").headers) == (503, {"Retry-After": "1"})
    assert unavailable("busy", 5).headers == {"Retry-After": "5"}
    assert unavailable("a key is missing", None).headers == {}
