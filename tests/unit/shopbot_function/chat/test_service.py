from __future__ import annotations

from typing import Any

import pytest
from shopping_bot import request_metrics
from shopping_bot.backends.claude import ClaudeBusyError
from shopping_bot.chat import history, service
from shopping_bot.chat.bot_core import BotCore
from shopping_bot.chat.chat_request import ChatRequest
from shopping_bot.chat.service import Reply
from shopping_bot.deadline import Deadline

from lambda_http.problem import Problem
from tests.unit.shopbot_function.fakes import (
    FakeConversations,
    FakeInventory,
    FakeSearch,
    ScriptedClaude,
    product,
    session_ids,
    text,
    tool_use,
)


@pytest.fixture
def conversations() -> FakeConversations:
    return FakeConversations()


def send(conversations: Any, message: str, *script: Any, session_id: str = "s1") -> tuple[Reply, ScriptedClaude]:
    claude: Any = ScriptedClaude(*script)
    core = BotCore(claude, FakeSearch(product("A")), FakeInventory({"A": 5}))
    asked = ChatRequest("u1", message, session_id, "web")
    return service.reply(asked, session_id, conversations, core, Deadline(20)), claude


def test_a_turn_is_kept(conversations: FakeConversations) -> None:
    reply, _ = send(conversations, "hi", text("Hello!"))

    assert (reply.session_id, reply.response_type, reply.content) == ("s1", "casual", {"message": "Hello!"})
    assert [entry["role"] for entry in conversations.kept["s1"]] == ["user", "assistant"]
    assert conversations.locks == {}


def test_a_follow_up_knows_what_was_shown(conversations: FakeConversations) -> None:
    recommend = tool_use("recommend", {"skus": ["A"], "summary": "Crisp."}, "t2")
    send(conversations, "chips", tool_use("search_products", {"query": "chips"}, "t1"), recommend)

    reply, claude = send(conversations, "show it again", recommend)

    assert [each["sku"] for each in reply.content["products"]] == ["A"]
    assert len(claude.requests[0]["messages"]) == 7


def test_a_second_message_at_once_is_kept_for_the_next_turn(conversations: FakeConversations) -> None:
    conversations.locks["s1"] = "someone"

    reply, claude = send(conversations, "under 100")

    assert reply.response_type == "processing"
    assert claude.requests == []
    conversations.locks.clear()
    _, claude = send(conversations, "vegan please", text("Fine."))
    assert claude.requests[0]["messages"] == [{"role": "user", "content": [text("under 100"), text("vegan please")]}]


def test_a_failure_frees_the_session_and_keeps_the_message(conversations: FakeConversations) -> None:
    with pytest.raises(ClaudeBusyError):
        send(conversations, "chips", ClaudeBusyError(3))
    assert conversations.locks == {}

    _, claude = send(conversations, "chips", text("Fine."))

    assert claude.requests[0]["messages"] == [{"role": "user", "content": [text("chips")]}]
    assert [each["role"] for each in history.turns(conversations.kept["s1"])] == ["user", "assistant"]


def test_without_redis_there_is_an_answer_without_memory(conversations: FakeConversations) -> None:
    metrics = request_metrics.begin()
    conversations.down = True

    reply, _ = send(conversations, "hi", text("Hello!"))

    assert reply.content == {"message": "Hello!"}
    assert metrics.degraded == {"redis"}


def test_redis_may_go_away_in_the_middle(conversations: FakeConversations) -> None:
    metrics = request_metrics.begin()
    down = FakeSearch(product("A"))
    claude: Any = ScriptedClaude(text("Hello!"))
    original = claude.complete

    def complete(**request: Any) -> Any:
        conversations.down = True
        return original(**request)

    claude.complete = complete
    asked = ChatRequest("u1", "hi", "s1", "web")
    kept: Any = conversations

    reply = service.reply(asked, "s1", kept, BotCore(claude, down, FakeInventory()), Deadline(20))

    assert reply.content == {"message": "Hello!"}
    assert metrics.degraded == {"redis"}


def test_a_session_belongs_to_its_user() -> None:
    ids = session_ids()
    session_id = service.owned_session(ids, None, "u1")

    assert service.owned_session(ids, session_id, "u1") == session_id
    sentences = set()
    for other in (session_id, service.owned_session(ids, None, "u3"), "x"):
        with pytest.raises(Problem) as refusal:
            service.owned_session(ids, other, "u2")
        assert refusal.value.status == 404
        sentences.add(refusal.value.detail)
    assert len(sentences) == 1
