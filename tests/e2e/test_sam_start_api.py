"""What `sam local start-api` gets wrong: what the engine puts right, and what never reaches it (docs/fidelity.md)."""

from __future__ import annotations

import time

import httpx
import pytest

from emulator.gateway.template_apis import TemplateApis
from sam_template import Template
from sam_template.repository import TEMPLATE
from tests.e2e.conftest import Started

ORIGIN = "https://front-end.example"


def invocations(shop: Started) -> int:
    """Return how many invocations the log names, once it has been silent: it is read behind the answers."""
    seen = -1
    while seen != len(shop.printed):
        seen = len(shop.printed)
        time.sleep(0.5)
    return shop.printed.count("START RequestId")


@pytest.fixture
def sam(clients: dict[str, httpx.Client]) -> httpx.Client:
    return clients["sam"]


def test_a_page_of_another_origin_may_read_what_the_template_exposes(client: httpx.Client) -> None:
    (api,) = TemplateApis(Template.load(TEMPLATE)).apis()
    assert api.cors is not None
    answer = client.get("/inventory/CHIPS-BEET-80G", headers={"origin": ORIGIN})
    assert answer.status_code == 200
    exposed = answer.headers["access-control-expose-headers"].lower().split(",")
    assert exposed == [name.lower() for name in api.cors["exposeHeaders"]]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-expose-headers" not in client.get("/inventory/CHIPS-BEET-80G").headers


@pytest.mark.parametrize("path", ["/", "/inventory/CHIPS-BEET-80G"])
def test_sam_answers_head_with_502_and_invokes_nothing(sam: httpx.Client, shop: Started, path: str) -> None:
    before = invocations(shop)
    assert sam.head(path).status_code == 502
    assert invocations(shop) == before


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"name": "caf\xe9"}'])
def test_sam_answers_a_body_that_is_not_utf_8_with_502_and_invokes_nothing(
    sam: httpx.Client, shop: Started, body: bytes
) -> None:
    before = invocations(shop)
    assert sam.post("/inventory", content=body, headers={"content-type": "application/json"}).status_code == 502
    assert invocations(shop) == before
