import pytest

from benchmarks.measure import Measure, differences, percentile, ratios


def test_a_measure_tells_the_median_and_the_ends_of_its_values() -> None:
    measure = Measure("make start", "until Ready", "s", (3.0, 1.0, 2.0, 10.0))
    assert (measure.median, measure.low, measure.high) == (2.5, 1.0, 10.0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1), (0.505, 51), (0.0, 1)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    values = list(range(100, 0, -1))
    assert percentile(values, share) == expected


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_the_percentile_of_one_value_is_that_value(share: float) -> None:
    assert percentile([7.0], share) == 7.0


def test_pairs_are_compared_one_by_one() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == (2.0, 3.0)
    assert differences([2.0, 9.0], [1.0, 3.0]) == (1.0, 6.0)


def test_a_value_without_a_partner_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="longer"):
        differences([1.0], [1.0, 2.0])
