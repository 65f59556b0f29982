import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.metrics.histogram import Histogram

DURATIONS = st.floats(min_value=1 / 32, max_value=900_000)


def filled(*durations: float) -> Histogram:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    return histogram


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_within_two_percent_of_the_nearest_rank(durations: list[float], share: float) -> None:
    nearest_rank = sorted(durations)[math.ceil(share * len(durations)) - 1]
    assert filled(*durations).percentile(share) == pytest.approx(nearest_rank, rel=0.016)


def test_an_empty_one_has_no_percentile() -> None:
    assert filled().percentile(0.5) is None


def test_it_knows_the_number_the_sum_and_the_largest() -> None:
    histogram = filled(1, 2, 4)
    assert (histogram.count, histogram.total, histogram.largest) == (3, 7, 4)


@pytest.mark.parametrize("duration", [0.0, 1e-9, 1e9])
def test_what_lies_outside_is_counted_at_the_edge(duration: float) -> None:
    histogram = filled(duration)
    found = histogram.percentile(1)
    assert found is not None
    assert found <= histogram.largest
