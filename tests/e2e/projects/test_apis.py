"""An HTTP API and a REST API with Lambda authorizers, side by side: under `sam` and under the gateway."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx

from tests.e2e.projects.conftest import StartedProject

ITEMS = {
    "web/1": {"item": "1", "version": "2.0", "caller": "visitor"},
    "partner/2": {"item": "2", "version": "1.0", "caller": "partner"},
}


def assert_only_the_authorized_are_answered(api: str, path: str) -> None:
    url = f"{api}/{path}"
    assert httpx.get(url, timeout=60).status_code == 401
    assert httpx.get(url, headers={"Authorization": "no"}, timeout=60).status_code == 403
    answer = httpx.get(url, headers={"Authorization": "let me in"}, timeout=60)
    assert (answer.status_code, answer.json()) == (200, ITEMS[path])


def test_sam_serves_both_at_one_address(launch_project: Callable[..., StartedProject]) -> None:
    project = launch_project("apis")
    project.wait_until_ready()
    for path in ITEMS:
        assert_only_the_authorized_are_answered(project.url, path)
    project.interrupt_and_find_nothing()


def test_the_gateway_serves_each_at_an_address_of_its_own_which_the_screen_shows(
    launch_project: Callable[..., StartedProject],
) -> None:
    project = launch_project("apis", "--front", "gateway")
    project.wait_until_ready()
    shown = dict(re.findall(r"^  (\w+) +\w+ API, gateway +(\S+)$", project.printed, re.MULTILINE))
    assert shown.keys() == {"WebApi", "PartnerApi"}, project.printed
    assert shown["WebApi"] == project.url
    assert shown["PartnerApi"].endswith("/v1")  # its stage
    for api, path, elsewhere in (("WebApi", "web/1", "partner/2"), ("PartnerApi", "partner/2", "web/1")):
        assert_only_the_authorized_are_answered(shown[api], path)
        assert httpx.get(
            f"{shown[api]}/{elsewhere}", headers={"Authorization": "let me in"}, timeout=60
        ).status_code in (403, 404)
    project.interrupt_and_find_nothing()
