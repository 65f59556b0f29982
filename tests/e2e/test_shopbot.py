"""The assistant over both API servers, as a customer and a front end meet it, with each backing service down."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from emulator.control import ask
from emulator.project.paths import RunningEmulator
from tests.e2e.conftest import API_SERVERS

PROBLEM = "application/problem+json"
GATEWAY_SECONDS = 30

Say = Callable[..., httpx.Response]


def at_api_servers(*kinds: str) -> list[tuple[str, str]]:
    """Return each kind of fault with each API server; a stall takes its time, and comes with the gateway alone."""
    return [(server, kind) for kind in kinds for server in API_SERVERS if kind != "stall" or server == "gateway"]


@pytest.fixture(autouse=True)
def sample_data(reset: Callable[[], None]) -> None:
    reset()


@pytest.fixture
def say(client: httpx.Client) -> Say:
    def say(message: str, session_id: str | None = None, user_id: str = "u1") -> httpx.Response:
        body = {"user_id": user_id, "message": message} | ({"session_id": session_id} if session_id else {})
        return client.post("/chat", json=body, timeout=GATEWAY_SECONDS + 5)

    return say


@pytest.fixture
def fault(running: RunningEmulator) -> Iterator[Callable[[str], None]]:
    def fault(text: str) -> None:
        asyncio.run(ask(running, "fault", text))

    yield fault
    fault("all=none")


def products(answer: httpx.Response) -> list[dict[str, Any]]:
    body = answer.json()
    assert body["response_type"] == "final_answer", body
    shown: list[dict[str, Any]] = body["content"]["products"]
    return shown


def test_products_that_are_asked_for_exist_fit_and_carry_live_stock(
    say: Say, client: httpx.Client, catalog: list[dict[str, Any]]
) -> None:
    shown = products(say("vegan chips under 100 rupees"))
    assert shown
    known = {product["sku"]: product for product in catalog}
    for product in shown:
        assert product["category"] == "chips"
        assert "vegan" in known[product["sku"]]["dietary_terms"]
        assert product["price"] < 100
        assert product["stock"] == client.get(f"/inventory/{product['sku']}").json()["qty"]


def test_a_vague_wish_is_asked_about(say: Say) -> None:
    body = say("show me something").json()
    assert body["response_type"] == "ask_user"
    assert body["content"]["question"]
    assert all({"label", "value"} <= set(option) for option in body["content"]["options"])
    assert len(body["content"]["options"]) >= 2


@pytest.mark.parametrize(("message", "response_type"), [("hi", "casual"), ("where is my order?", "support_related")])
def test_other_talk_is_answered_as_such(say: Say, message: str, response_type: str) -> None:
    body = say(message).json()
    assert body["response_type"] == response_type
    assert body["content"]["message"]
    assert body["meta"]["degraded"] == []


def test_a_follow_up_uses_what_was_said_before(say: Say) -> None:
    first = say("chips")
    session = first.json()["session_id"]
    cheaper = products(say("cheaper ones", session))
    assert max(product["price"] for product in cheaper) < max(product["price"] for product in products(first))
    assert {product["category"] for product in cheaper} == {"chips"}


def test_an_emptied_product_is_out_of_stock_in_the_next_answer(say: Say, client: httpx.Client) -> None:
    chosen = next(product for product in products(say("vegan chips under 100 rupees")) if product["stock"])
    emptied = client.post(f"/inventory/{chosen['sku']}/adjustments", json={"delta": -chosen["stock"]})
    assert emptied.json()["qty"] == 0
    again = products(say(f"{chosen['name']}"))
    shown = {product["sku"]: product for product in again}
    assert shown[chosen["sku"]]["in_stock"] is False
    assert shown[chosen["sku"]]["stock"] == 0


def test_a_conversation_is_read_and_forgotten(say: Say, client: httpx.Client) -> None:
    session = say("hi").json()["session_id"]
    turns = client.get(f"/chat/{session}", params={"user_id": "u1"}).json()["turns"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"]
    assert client.delete(f"/chat/{session}", params={"user_id": "u1"}).status_code == 200
    assert client.get(f"/chat/{session}", params={"user_id": "u1"}).status_code == 404


def test_another_users_conversation_is_not_found(say: Say, client: httpx.Client) -> None:
    session = say("hi").json()["session_id"]
    assert client.get(f"/chat/{session}", params={"user_id": "u2"}).status_code == 404
    assert client.delete(f"/chat/{session}", params={"user_id": "u2"}).status_code == 404
    assert say("hi", session, user_id="u2").status_code == 404
    assert client.get(f"/chat/{session}", params={"user_id": "u1"}).status_code == 200


def test_of_two_messages_at_once_one_is_answered_and_one_told_to_wait(
    say: Say, client: httpx.Client, fault: Callable[[str], None]
) -> None:
    session = say("hi").json()["session_id"]
    fault("anthropic=slow:1500")
    with ThreadPoolExecutor(2) as clients:
        answers = list(clients.map(lambda message: say(message, session), ["vegan chips", "dark chocolate"]))
    assert sorted(answer.status_code for answer in answers) == [200, 202]
    waiting = next(answer for answer in answers if answer.status_code == 202)
    assert waiting.json()["response_type"] == "processing"
    fault("all=none")
    assert asked(client, session) == ["dark chocolate", "hi", "vegan chips"]
    # the one that had to wait is read with the next message, and sent again it is one and the same
    refused = json.loads(waiting.request.content)["message"]
    assert say(refused, session).status_code == 200
    assert asked(client, session) == ["dark chocolate", "hi", "vegan chips"]


def asked(client: httpx.Client, session: str) -> list[str]:
    """Return the customer's messages of a conversation, sorted."""
    turns = client.get(f"/chat/{session}", params={"user_id": "u1"}).json()["turns"]
    return sorted(turn["content"] for turn in turns if turn["role"] == "user")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b'{"user_id":"u1"}',
        b'{"user_id":"u1","message":""}',
        b'{"user_id":"u1","message":"   "}',
        b'{"user_id":"","message":"hi"}',
        b'{"user_id":"u1","message":7}',
        b'{"user_id":"u1","message":{"text":"hi"}}',
        b'{"user_id":"u1","message":"\\ud800"}',
        b'{"user_id":"u1","message":"hi","extra":1}',
        b'{"user_id":"u1","message":"' + b"a" * 2001 + b'"}',
    ],
    ids=lambda body: body[:50].decode(),
)
def test_a_bad_message_is_refused_with_a_sentence(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/chat", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"]


def test_a_megabyte_of_text_is_refused(client: httpx.Client) -> None:
    answer = client.post("/chat", json={"user_id": "u1", "message": "a" * 1024 * 1024})
    assert answer.status_code in (400, 413)
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(("client", "kind"), at_api_servers("refuse", "stall", "error:500"), indirect=["client"])
def test_without_redis_answers_have_no_memory(say: Say, fault: Callable[[str], None], kind: str) -> None:
    fault(f"redis={kind.replace('error:500', 'error')}")
    answer = say("vegan chips")
    assert answer.status_code == 200
    assert products(answer)
    assert answer.json()["meta"]["degraded"] == ["redis"]
    fault("all=none")
    assert recovered(lambda: say("vegan chips").json()["meta"]["degraded"] == [])


@pytest.mark.parametrize(("client", "kind"), at_api_servers("refuse", "stall", "error:500"), indirect=["client"])
def test_without_elasticsearch_other_talk_goes_on(say: Say, fault: Callable[[str], None], kind: str) -> None:
    fault(f"elasticsearch={kind}")
    search = say("vegan chips")
    assert search.status_code == 200
    assert "elasticsearch" in search.json()["meta"]["degraded"]
    assert "search" in search.json()["content"]["message"].lower()
    assert say("hi").json()["response_type"] == "casual"
    fault("all=none")
    assert recovered(lambda: say("vegan chips").json()["response_type"] == "final_answer")


@pytest.mark.parametrize(
    ("client", "kind"), at_api_servers("refuse", "stall", "error:529", "error:429", "error:500"), indirect=["client"]
)
def test_without_claude_the_answer_is_503_in_time(say: Say, fault: Callable[[str], None], kind: str) -> None:
    fault(f"anthropic={kind}")
    began = time.monotonic()
    answer = say("vegan chips")
    assert time.monotonic() - began < GATEWAY_SECONDS
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["response_type"] == "error"
    fault("all=none")
    assert recovered(lambda: say("hi").status_code == 200)


def test_a_passing_overload_of_claude_is_not_noticed(say: Say, fault: Callable[[str], None]) -> None:
    fault("anthropic=error:529x2")
    assert products(say("vegan chips"))


@pytest.mark.parametrize("kind", ["refuse", "error:500"])
def test_without_the_inventory_the_stock_is_unknown(say: Say, fault: Callable[[str], None], kind: str) -> None:
    assert products(say("vegan chips"))  # the keys are read by now
    fault(f"aws={kind}")
    answer = say("vegan chips")
    assert answer.status_code == 200
    assert all(product["in_stock"] is None for product in products(answer))
    assert "inventory" in " ".join(answer.json()["meta"]["degraded"])


def test_readiness_names_what_is_down(client: httpx.Client, fault: Callable[[str], None]) -> None:
    assert client.get("/health/ready").status_code == 200
    fault("elasticsearch=refuse")
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["backing_services"]["elasticsearch"]["status"] == "down"
    assert client.get("/health").status_code == 200


def recovered(is_well: Callable[[], bool]) -> bool:
    """Return whether `is_well` soon."""
    deadline = time.monotonic() + 60
    while not is_well():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
