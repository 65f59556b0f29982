from __future__ import annotations

from typing import Any

import pytest
from shopping_bot.deadline import LONGEST_ANSWER_SECONDS, Deadline

from tests.unit.shopbot_function.fakes import ticking


class Context:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.mark.parametrize(
    ("context", "seconds"),
    [(Context(10_000), 9), (Context(900_000), LONGEST_ANSWER_SECONDS - 1), (None, LONGEST_ANSWER_SECONDS - 1)],
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
