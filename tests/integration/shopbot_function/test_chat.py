"""The handler with the Redis, Elasticsearch and Claude of the emulator; table and secret are the tests' own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from shopping_bot.backends import http
from shopping_bot.backends.claude import Claude
from shopping_bot.backends.completion import Completion
from shopping_bot.chat import answer as answers
from shopping_bot.chat.bot_core import MAXIMUM_ROUNDS
from shopping_bot.extensions import Extensions
from shopping_bot.search.index import ALIAS, fill

from emulator.backing_services.anthropic import Anthropic
from emulator.backing_services.elasticsearch import Elasticsearch
from emulator.backing_services.valkey import Valkey
from lambda_http import aws_clients
from sam_template.repository import CATALOG
from tests.integration.shopbot_function.proxy import Proxy

KEYS = {"ANTHROPIC_API_KEY": "key", "ES_API_KEY": "", "REDIS_PASSWORD": "", "SESSION_KEY": "key"}


@dataclass
class Aws:
    """The inventory table and the secret."""

    stock: dict[str, int]
    keys: dict[str, str] = field(default_factory=lambda: dict(KEYS))
    previous_keys: dict[str, str] = field(default_factory=dict)

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803  the API's own name
        ((table, request),) = RequestItems.items()
        skus = [key["sku"]["S"] for key in request["Keys"]]
        items = [{"sku": {"S": sku}, "qty": {"N": str(self.stock[sku])}} for sku in skus if sku in self.stock]
        return {"Responses": {table: items}}

    def get_secret_value(self, SecretId: str, VersionStage: str = "AWSCURRENT") -> Any:  # noqa: N803  as above
        return {"SecretString": json.dumps(self.keys if VersionStage == "AWSCURRENT" else self.previous_keys)}


@dataclass
class Shop:
    aws: Aws
    redis: Proxy
    elasticsearch: Proxy
    claude: Proxy

    def send(self, method: str, path: str, body: Any = None, query: str = "") -> tuple[int, Any]:
        from lambda_handler import lambda_handler

        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"host": "shop.example"},
            "requestContext": {"http": {"method": method, "path": path}, "requestId": "id-1", "stage": "$default"},
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = lambda_handler(event, None)
        raw = answer["body"]
        return answer["statusCode"], json.loads(base64.b64decode(raw) if answer["isBase64Encoded"] else raw)

    def chat(self, message: str, session_id: str | None = None) -> tuple[int, Any]:
        return self.send("POST", "/chat", {"user_id": "u1", "message": message, "session_id": session_id})


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    started, ending = threading.Event(), threading.Event()
    found: dict[str, int] = {}

    async def serve() -> None:
        log = tmp_path_factory.mktemp("valkey") / "valkey.log"
        async with Anthropic() as claude, Elasticsearch() as elasticsearch, Valkey(log=log) as valkey:
            await asyncio.to_thread(fill, elasticsearch.url, CATALOG)
            found["claude"], found["redis"] = claude.port, valkey.port
            found["elasticsearch"] = int(elasticsearch.url.rpartition(":")[2])
            started.set()
            await asyncio.to_thread(ending.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(30)
    yield found
    ending.set()
    thread.join()


@pytest.fixture
def shop(ports: dict[str, int], catalog: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    import lambda_handler

    with contextlib.ExitStack() as stack:
        proxies = {name: stack.enter_context(Proxy("127.0.0.1", port)) for name, port in ports.items()}
        settings = {
            "TABLE_NAME": "inventory",
            "SECRETS_MANAGER_SECRET": "arn",
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": proxies["redis"].port,
            "REDIS_TLS": False,
            "REDIS_CLUSTER": False,
            "ES_URL": f"http://127.0.0.1:{proxies['elasticsearch'].port}",
            "ES_INDEX": ALIAS,
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{proxies['claude'].port}",
            "CLAUDE_MODEL": "claude-sonnet-5-5",
        }
        for name, value in settings.items():
            monkeypatch.setitem(lambda_handler.application.config, name, value)
        extensions = Extensions(lambda_handler.application.config)
        monkeypatch.setitem(lambda_handler.application.extensions, "shopping_bot", extensions)
        aws = Aws({product["sku"]: product["stock"] for product in catalog})
        monkeypatch.setattr(aws_clients, "dynamodb", lambda *_, **__: aws)
        monkeypatch.setattr(aws_clients, "secretsmanager", lambda *_: aws)
        yield Shop(aws, **proxies)
        if extensions._redis:
            extensions._redis.close()
        http.forget()


def test_products_exist_fit_and_carry_live_stock(shop: Shop, catalog: list[dict[str, Any]]) -> None:
    known = {product["sku"]: product for product in catalog}

    status, body = shop.chat("vegan chips under 100 rupees")

    assert (status, body["response_type"]) == (200, "final_answer")
    assert body["content"]["products"]
    for shown in body["content"]["products"]:
        product = known[shown["sku"]]
        assert (shown["name"], f"{shown['price']:.2f}", shown["stock"]) == (
            *(product["name"], product["price"], product["stock"]),
        )
        assert product["category"] == "chips"
        assert "vegan" in product["dietary_terms"]
        assert float(product["price"]) < 100
    assert body["meta"]["functions_executed"] == ["search_products", "recommend"]


Sent = list[tuple[bytes, http.Response]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What Claude was asked, and its answers."""
    original, seen = http.request_json, []

    def request_json(*arguments: Any, **settings: Any) -> http.Response:
        response = original(*arguments, **settings)
        if settings["backing_service"] == "anthropic":
            seen.append((settings["body"], response))
        return response

    monkeypatch.setattr(http, "request_json", request_json)
    return seen


def test_thinking_goes_back_within_a_turn_and_not_into_the_next(shop: Shop, sent: Sent) -> None:
    _, body = shop.chat("vegan chips under 100 rupees")

    assert body["response_type"] == "final_answer"
    assert [response.status for _, response in sent] == [200, 200]
    first, second = (json.loads(request) for request, _ in sent)
    assert first["output_config"] == {"effort": "low"}
    assert (first["system"], first["tools"]) == (second["system"], second["tools"])
    assert second["messages"][: len(first["messages"])] == first["messages"]
    thought = sent[0][1].body["content"][0]
    assert thought["type"] == "thinking"
    assert second["messages"][-2]["content"][0] == thought

    status, _ = shop.chat("cheaper ones", body["session_id"])
    assert status == 200
    assert {response.status for _, response in sent} == {200}
    kept = json.loads(sent[2][0])["messages"]
    kinds = {block["type"] for message in kept for block in message["content"]}
    assert kinds == {"text", "tool_use", "tool_result"}


def edit_the_signature(request: Any) -> None:
    request["messages"][1]["content"][0]["signature"] = "c2ln"


def edit_the_system_prompt(request: Any) -> None:
    request["system"][0]["text"] += " Be brief."


def drop_one_between_others(request: Any) -> None:
    del request["messages"][3]["content"][0]


@pytest.mark.parametrize("edit", [edit_the_signature, edit_the_system_prompt, drop_one_between_others])
def test_thinking_that_comes_back_otherwise_would_be_refused(
    shop: Shop, sent: Sent, edit: Callable[[Any], None]
) -> None:
    shop.aws.keys["ANTHROPIC_API_KEY"] = "misbehave:looping"  # four rounds
    shop.chat("vegan chips under 100 rupees")
    request = json.loads(sent[-1][0])
    edit(request)

    answer = http.request_json(
        "POST",
        f"http://127.0.0.1:{shop.claude.port}/v1/messages",
        backing_service="anthropic",
        body=json.dumps(request).encode(),
        headers={"x-api-key": "key", "anthropic-version": "2026-10-21"},
        timeout_seconds=10,
    )

    assert [response.status for _, response in sent] == [200] * MAXIMUM_ROUNDS + [400]
    assert "Invalid `signature` in `thinking` block" in answer.body["error"]["message"]


def test_a_model_that_only_thinks_has_an_answer(shop: Shop, sent: Sent) -> None:
    shop.aws.keys["ANTHROPIC_API_KEY"] = "misbehave:truncated"

    status, body = shop.chat("vegan chips under 100 rupees")

    assert (status, body["content"]) == (200, {"message": answers.UNFINISHED})
    assert [block["type"] for block in sent[0][1].body["content"]] == ["thinking"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [("show me something", "ask_user"), ("hi", "casual"), ("where is my order?", "support_related")],
)
def test_other_answers(shop: Shop, message: str, kind: str) -> None:
    status, body = shop.chat(message)

    assert (status, body["response_type"]) == (200, kind)
    assert body["content"].get("options", True)


def test_a_follow_up_uses_what_was_said(shop: Shop) -> None:
    _, first = shop.chat("vegan chips under 100 rupees")
    _, second = shop.chat("cheaper ones", first["session_id"])

    def prices(body: Any) -> list[float]:
        return [product["price"] for product in body["content"]["products"]]

    assert second["response_type"] == "final_answer"
    assert {product["category"] for product in second["content"]["products"]} == {"chips"}
    assert max(prices(second)) < max(prices(first))


def test_a_product_that_sells_out_is_said(shop: Shop) -> None:
    _, first = shop.chat("beetroot chips")
    sku = first["content"]["products"][0]["sku"]
    shop.aws.stock[sku] = 0

    _, second = shop.chat("is the first one in stock?", first["session_id"])

    (shown,) = [product for product in second["content"]["products"] if product["sku"] == sku]
    assert (shown["in_stock"], shown["stock"]) == (False, 0)
    assert "out of stock" in second["content"]["summary_message"].lower()


def test_two_messages_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = shop.chat("hi")
    session_id = first["session_id"]
    asked, go_on = threading.Event(), threading.Event()
    original = Claude.complete

    def complete(self: Claude, **request: Any) -> Completion:
        asked.set()
        go_on.wait(10)
        return original(self, **request)

    monkeypatch.setattr(Claude, "complete", complete)
    with ThreadPoolExecutor(1) as pool:
        answering = pool.submit(shop.chat, "vegan chips", session_id)
        assert asked.wait(10)
        status, body = shop.chat("dark chocolate", session_id)
        go_on.set()
        answered = answering.result()[1]
    _, history = shop.send("GET", f"/chat/{session_id}", query="user_id=u1")

    assert (status, body["response_type"]) == (202, "processing")
    assert answered["response_type"] == "final_answer"
    said = [turn["content"] for turn in history["turns"] if turn["role"] == "user"]
    assert said == ["hi", "vegan chips", "dark chocolate"]
    assert shop.chat("dark chocolate", session_id)[1]["response_type"] == "final_answer"


def redis_down(body: Any) -> bool:
    return (body["response_type"], body["meta"]["degraded"]) == ("final_answer", ["redis"])


def elasticsearch_down(body: Any) -> bool:
    return "search" in body["content"]["message"] and body["meta"]["degraded"] == ["elasticsearch"]


def claude_down(body: Any) -> bool:
    return (body["status"], body["response_type"]) == (503, "error")


@pytest.mark.parametrize(
    ("name", "expected", "status"),
    [("redis", redis_down, 200), ("elasticsearch", elasticsearch_down, 200), ("claude", claude_down, 503)],
)
def test_a_backing_service_goes_away_and_comes_back(
    shop: Shop, name: str, expected: Callable[[Any], bool], status: int
) -> None:
    _, first = shop.chat("vegan chips")
    proxy: Proxy = getattr(shop, name)

    proxy.stop()
    answer = shop.chat("vegan chips", first["session_id"])
    assert answer[0] == status
    assert expected(answer[1])
    if name == "elasticsearch":
        assert shop.chat("hi", first["session_id"])[1]["meta"]["degraded"] == []

    proxy.is_down = False
    assert shop.chat("cheaper ones", first["session_id"])[1]["response_type"] == "final_answer"


def test_a_rotated_key_needs_no_deployment(shop: Shop) -> None:
    shop.aws.keys["ANTHROPIC_API_KEY"] = "invalid-1"
    status, body = shop.chat("hi")
    assert (status, "ANTHROPIC_API_KEY is refused" in body["detail"]) == (503, True)
    assert "invalid-1" not in json.dumps(body)

    import lambda_handler

    shop.aws.keys["ANTHROPIC_API_KEY"] = "key"
    lambda_handler.application.extensions["shopping_bot"].secrets._refetch_from = 0
    assert shop.chat("hi")[0] == 200


def test_readiness(shop: Shop) -> None:
    status, body = shop.send("GET", "/health/ready")
    assert (status, body["status"]) == (200, "ready")

    shop.elasticsearch.stop()
    status, body = shop.send("GET", "/health/ready")
    assert (status, body["backing_services"]["elasticsearch"]["status"]) == (503, "down")
