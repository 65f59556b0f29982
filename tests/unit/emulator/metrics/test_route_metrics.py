from emulator.metrics import Metrics, RouteMetrics
from emulator.metrics.route_metrics import RouteCount


def test_answers_are_counted_by_route_and_kind() -> None:
    routes = RouteMetrics()
    for status in (200, 304, 404, 429, 503):
        routes.add("GET /items", status)
    routes.add("", 404)
    assert dict(routes) == {"GET /items": RouteCount(5, 2, 1), "(no route)": RouteCount(1, 1, 0)}


def test_keys_without_end_are_counted_together() -> None:
    routes = RouteMetrics()
    for number in range(5000):
        routes.add(f"GET /{number}", 200)
    counts = dict(routes)
    assert len(counts) <= 1001
    assert counts["(other routes)"].requests == 4000


def test_an_api_is_counted_for_each_server_of_its_own() -> None:
    metrics = Metrics()
    metrics.api("gateway", "Api").add("GET /", 200)
    metrics.api("gateway", "Api").add("GET /", 200)
    assert dict(metrics.api("gateway", "Api")) == {"GET /": RouteCount(2)}
    assert dict(metrics.api("sam local start-api", "Api")) == {}
