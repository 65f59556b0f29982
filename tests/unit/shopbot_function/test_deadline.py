from __future__ import annotations

import contextvars
from typing import Any

import pytest
from shopping_bot import deadline
from shopping_bot.deadline import LONGEST_ANSWER_SECONDS, Deadline

from tests.unit.shopbot_function.fakes import ticking


class Context:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.mark.parametrize(
    ("context", "seconds"),
    [(Context(10_000), 8), (Context(900_000), LONGEST_ANSWER_SECONDS - 2), (None, LONGEST_ANSWER_SECONDS - 2)],
)
def test_it_comes_from_the_context_and_is_capped(context: Any, seconds: float) -> None:
    assert Deadline.from_context(context, clock=ticking(100)).remaining() == seconds


def test_it_runs_out() -> None:
    deadline = Deadline(5, clock=ticking(0, 1, 2, 4, 9))

    assert deadline.remaining() == 4
    assert deadline.has(3)
    assert deadline.timeout(10) == 1
    assert deadline.remaining() == 0
    assert not deadline.has(0.1)
    assert deadline.timeout(10) == 0.01


def test_a_nearer_deadline() -> None:
    assert Deadline(5, clock=ticking(0)).within(2).remaining() == 2
    assert Deadline(5, clock=ticking(0)).within(20).remaining() == 5
    assert Deadline(5, clock=ticking(0)).earlier(2).remaining() == 3
    assert Deadline(1, clock=ticking(0)).earlier(2).remaining() == 0


def test_every_part_of_a_request_has_the_same_deadline() -> None:
    def run() -> None:
        deadline.begin(Context(5_000))
        assert deadline.current() is deadline.current()
        assert 1 < deadline.current().remaining() <= 3
        deadline.end()
        assert deadline.current().remaining() > 20

    contextvars.Context().run(run)
