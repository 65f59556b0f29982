import pytest

from emulator.metrics.lambda_prices import dollars


def test_a_million_invocations_of_a_second_and_a_gigabyte() -> None:
    # AWS Lambda pricing, us-east-1: $0.0000166667 or $0.0000133334 for each GB-second, $0.20 for a million requests.
    told = {"requests": 1_000_000, "billed_ms": 1_000_000_000, "memory_mb": 1024}
    assert dollars(**told, architecture="x86_64") == pytest.approx(16.6667 + 0.20)
    assert dollars(**told, architecture="arm64") == pytest.approx(13.3334 + 0.20)
