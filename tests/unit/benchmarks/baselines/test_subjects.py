import json

import pytest

from benchmarks.baselines.cold_start import ColdStart
from benchmarks.baselines.comparison import goals
from benchmarks.baselines.subjects import BASELINE, FLOOR, FRAMEWORK, OURS, SERVICES, Service
from sam_template import Template
from sam_template.repository import REPOSITORY, TEMPLATE


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_is_compared_with_a_baseline_and_two_floors(service: Service) -> None:
    assert [subject.kind for subject in service.subjects] == [OURS, BASELINE, FRAMEWORK, FLOOR]
    ours, baseline, *floors = service.subjects
    assert ours.requests == baseline.requests
    assert all(set(floor.requests) <= set(ours.requests) for floor in floors)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_ours_is_the_function_of_the_template(service: Service) -> None:
    assert service.subjects[0].handler == Template.load(TEMPLATE).functions[service.logical_id].handler


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_request_is_a_fixture_of_that_route(service: Service) -> None:
    for request in service.subjects[0].requests:
        event = json.loads((REPOSITORY / "events" / request.event).read_text())
        method, path = request.name.split()
        assert event["requestContext"]["http"]["method"] == method
        assert event["rawPath"].startswith(path.partition("{")[0])


def test_the_floors_have_what_the_services_have_of_the_frameworks() -> None:
    for service in SERVICES:
        locked = (REPOSITORY / service.subjects[0].handler.split(".")[0]).parent / f"{service.name}_function"
        versions = set(_pins((locked / "requirements.txt").read_text()))
        for subject in service.subjects:
            if subject.kind == FRAMEWORK:
                assert subject.sources is not None
                assert set(_pins((subject.sources / "requirements.txt").read_text())) <= versions


def test_a_ratio_is_taken_within_a_round() -> None:
    taken = {
        ("shop", OURS, "GET /"): [ColdStart(100, 10, 80), ColdStart(200, 20, 90)],
        ("shop", BASELINE, "GET /"): [ColdStart(1000, 100, 800), ColdStart(1000, 100, 300)],
        ("shop", FLOOR, "GET /"): [ColdStart(10, 1, 8), ColdStart(10, 1, 8)],
    }
    time, processor = goals(taken).measures
    assert (time.subject, time.quantity) == ("GET /, ours over baseline", "time")
    assert time.values == pytest.approx((0.1, 0.2))
    assert processor.values == pytest.approx((0.1, 0.3))


def _pins(text: str) -> list[str]:
    return [line.rstrip(" \\") for line in text.splitlines() if "==" in line and not line.startswith(" ")]
