from emulator.metrics import FunctionMetrics


def invoked(metrics: FunctionMetrics, duration_ms: float = 10, **told: bool) -> None:
    flags = {"is_first": False, "is_error": False, "is_timeout": False, **told}
    metrics.invoked(duration_ms, 11, 1000, **flags)


def test_the_first_invocation_of_an_environment_is_not_warm() -> None:
    metrics = FunctionMetrics()
    invoked(metrics, 500, is_first=True)
    invoked(metrics, 2)
    assert metrics.invocations == 2
    assert (metrics.warm.count, metrics.warm.largest) == (1, 2)


def test_an_error_is_billed_and_no_duration_of_a_warm_invocation() -> None:
    metrics = FunctionMetrics()
    invoked(metrics, is_error=True)
    assert (metrics.errors, metrics.timeouts, metrics.billed_ms, metrics.warm.count) == (1, 0, 11, 0)


def test_a_timeout_is_an_error() -> None:
    metrics = FunctionMetrics()
    invoked(metrics, is_error=True, is_timeout=True)
    assert (metrics.errors, metrics.timeouts) == (1, 1)


def test_the_most_memory_is_kept() -> None:
    metrics = FunctionMetrics()
    for peak in (3, 9, 4):
        metrics.invoked(1, 1, peak, is_first=False, is_error=False, is_timeout=False)
    assert metrics.peak_memory == 9
