"""What the benchmarks read and write: REPORT lines, settings, the revised handler, layers."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cold_request import without_warm_containers
from benchmarks.handler_calls import WARM_UP_CALLS, latencies
from benchmarks.init_duration import init_ms
from benchmarks.layers import Row, cost_section, latency_section
from benchmarks.load import Load
from benchmarks.package_size import sizes
from benchmarks.plan import BenchmarkError
from benchmarks.reload import revised
from benchmarks.routes import ROUTES

REPORT = (
    "REPORT RequestId: 1\tDuration: 226.08 ms\tBilled Duration: 627 ms\tMemory Size: 512 MB\tMax Memory Used: 68 MB"
)


def test_init_is_read_from_the_report_line() -> None:
    assert init_ms(f"START\n{REPORT}\tInit Duration: 400.44 ms\n{{}}") == 400.44


def test_a_report_without_init_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="No REPORT line tells an init duration"):
        init_ms(REPORT)


def test_only_the_line_about_warm_containers_goes() -> None:
    settings = '[default.local_start_api.parameters]\nport = 3000\nwarm_containers = "EAGER"\nhost = "x"\n'
    assert without_warm_containers(settings) == '[default.local_start_api.parameters]\nport = 3000\nhost = "x"\n'


def test_a_revised_handler_answers_as_before_and_names_its_revision() -> None:
    names: dict[str, Any] = {}
    exec(revised("def lambda_handler(event, context):\n    return {'statusCode': 200}\n", 3), names)
    assert names["lambda_handler"]({}, None) == {"statusCode": 200, "headers": {"x-revision": "3"}}


def test_each_route_has_a_fixture_that_requests_it() -> None:
    for route in ROUTES:
        assert json.loads(route.event)["routeKey"] == route.name


def test_the_handler_is_warmed_up_and_gets_an_event_of_its_own() -> None:
    events: list[Any] = []

    def handler(event: Any, _: Any) -> dict[str, int]:
        assert event == {"path": "/"}
        event.clear()
        events.append(event)
        return {"statusCode": 200}

    taken = latencies(handler, '{"path": "/"}', 0.01)
    assert len(events) == WARM_UP_CALLS + len(taken)
    assert taken


def test_a_handler_that_fails_is_not_timed() -> None:
    with pytest.raises(RuntimeError, match="500"):
        latencies(lambda *_: {"statusCode": 500}, "{}", 0.01)


def test_a_package_is_counted_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "app" / "__pycache__").mkdir(parents=True)
    (tmp_path / "app" / "a.py").write_bytes(b"x" * 1000)
    (tmp_path / "app" / "__pycache__" / "a.pyc").write_bytes(b"y" * 500)
    everything, zipped = sizes(tmp_path)
    assert everything == 1500
    assert 0 < zipped < 1000
    assert sizes(tmp_path, lambda path: path.suffix != ".pyc")[0] == 1000


def row(layer: str, *latencies_ms: float, clients: int = 1, failures: int = 0) -> Row:
    return Row("GET /", layer, clients, tuple(Load((latency, latency), failures, 0.5) for latency in latencies_ms))


def test_each_layer_costs_what_it_adds_to_the_one_below() -> None:
    section = cost_section([row("handler", 1, 2), row("engine", 4, 3), row("sam", 8, 9), row("sam", 99, clients=8)])
    values = {measure.quantity: measure.values for measure in section.measures}
    assert values == {
        "the handler alone": (1, 2),
        "the engine adds": (3, 1),
        "sam adds": (4, 6),
        "sam over engine": (2, 3),
    }


def test_stalls_and_failures_are_counted() -> None:
    section = latency_section([row("sam", 20, 1020, failures=1)])
    values = {measure.quantity: measure.values for measure in section.measures}
    assert values["p50"] == (20, 1020)
    assert values["max"] == (1020,)
    assert values["throughput"] == (4, 4)
    assert values["over 900 ms"] == (2,)
    assert values["failed"] == (2,)
