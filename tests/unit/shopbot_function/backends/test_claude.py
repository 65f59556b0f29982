from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from shopping_bot import observability, request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.claude import MAXIMUM_ATTEMPTS, Claude, ClaudeBusyError, ClaudeRefusalError
from shopping_bot.backends.completion import Completion
from shopping_bot.deadline import Deadline

from lambda_http.json_secret import JsonSecret, SecretError
from tests.unit.shopbot_function.fakes import text, tool_use

TOOLS = [{"name": "a", "input_schema": {}}, {"name": "b", "input_schema": {}}]


def message(*blocks: Any, stop_reason: str = "end_turn") -> tuple[int, dict[str, str], Any]:
    usage = {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 100, "service_tier": "standard"}
    return (
        200,
        {},
        {"type": "message", "role": "assistant", "content": blocks, "stop_reason": stop_reason, "usage": usage},
    )


def refusal(status: int, kind: str = "x_error", **headers: str) -> tuple[int, dict[str, str], Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, sent, {"type": "error", "error": {"type": kind, "message": "s3cr3t"}, "request_id": "req_1"}


class Keys:
    def __init__(self) -> None:
        self.values = ["key-1"]
        self.secrets = JsonSecret(self.read, print)

    def read(self) -> dict[str, str]:
        return {"ANTHROPIC_API_KEY": self.values.pop(0) if len(self.values) > 1 else self.values[0]}


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is logged as an error."""
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(
        observability.logger, "error", lambda message, **fields: lines.append({"message": message, **fields})
    )
    return lines


@pytest.fixture
def complete(backing_service: Any, keys: Keys, pauses: list[float]) -> Callable[..., Completion]:
    claude = Claude(base_url=backing_service.url, model="claude-x", secrets=keys.secrets, sleep=pauses.append)

    def call(seconds: float = 10) -> Completion:
        messages = [{"role": "user", "content": [text("hi")]}]
        return claude.complete(system="Be kind.", tools=TOOLS, messages=messages, deadline=Deadline(seconds))

    return call


def test_the_request_on_the_wire(backing_service: Any, complete: Callable[..., Completion]) -> None:
    backing_service.answers = [message(text("Hello!"))]

    assert complete().text == "Hello!"

    method, path, headers, _ = backing_service.requests[0]
    assert (method, path) == ("POST", "/v1/messages")
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("key-1", "2026-10-21")
    assert backing_service.json() == {
        "model": "claude-x",
        "max_tokens": 4096,
        "output_config": {"effort": "low"},
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "tools": [TOOLS[0], {**TOOLS[1], "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [text("hi")]}],
    }


@pytest.mark.parametrize(
    ("model", "takes_effort"),
    [
        ("claude-sonnet-5-5", True),
        ("claude-haiku-5-5", True),
        ("claude-sonnet-4-6", True),
        ("claude-opus-4-5", True),
        ("claude-haiku-4-5-20251001", False),
        ("claude-sonnet-4-5", False),
    ],
)
def test_effort_is_sent_to_models_that_take_it(
    backing_service: Any, keys: Keys, model: str, takes_effort: bool
) -> None:
    backing_service.answers = [message(text("Hello!"))]
    claude = Claude(base_url=backing_service.url, model=model, secrets=keys.secrets)

    claude.complete(system="s", tools=TOOLS, messages=[], deadline=Deadline(10))

    assert ("output_config" in backing_service.json()) is takes_effort


def test_tokens_are_counted(backing_service: Any, complete: Callable[..., Completion]) -> None:
    backing_service.answers = [message(text("Hello!"))]
    metrics = request_metrics.begin()

    complete()

    assert metrics.tokens == {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 100}


def test_the_blocks_that_can_be_used(backing_service: Any, complete: Callable[..., Completion]) -> None:
    backing_service.answers = [
        message(
            text("One \ud800"),
            text("  "),
            {"type": "thinking", "thinking": "without a signature"},
            {"type": "redacted_thinking"},
            tool_use("search", {"a": ["\udc00"]}, "t1"),
            tool_use("search", "no object", "t2"),
            {"type": "tool_use", "name": "without id"},
            {"type": "text", "text": 5},
            "no block",
        )
    ]

    completion = complete()

    assert completion.text == "One \ufffd"
    assert completion.tool_uses == [tool_use("search", {"a": ["\ufffd"]}, "t1"), tool_use("search", {}, "t2")]


def test_thinking_and_unknown_blocks_are_kept_as_received(
    backing_service: Any, complete: Callable[..., Completion]
) -> None:
    blocks = [
        {"type": "thinking", "thinking": "", "signature": "RXRo\u20b9/+==", "later": {"field": [1.0]}},
        {"type": "redacted_thinking", "data": "AbC="},
        text("I look."),
        {"type": "thinking", "thinking": "half \ud800", "signature": "two"},
        {**tool_use("search", {"a": 1}), "caller": {"type": "direct"}},
        {"type": "from_the_future", "x": None},
    ]
    backing_service.answers = [message(*blocks, stop_reason="tool_use")]

    completion = complete()

    assert json.dumps(completion.content) == json.dumps(blocks)
    assert completion.text == "I look."
    assert [use["name"] for use in completion.tool_uses] == ["search"]


@pytest.mark.parametrize(
    ("stop_reason", "is_refusal", "is_unfinished"),
    [
        ("end_turn", False, False),
        ("refusal", True, False),
        ("max_tokens", False, True),
        ("model_context_window_exceeded", False, True),
        ("pause_turn", False, True),
        ("of the future", False, True),
        (None, False, False),
    ],
)
def test_why_it_stopped(
    backing_service: Any, complete: Callable[..., Completion], stop_reason: Any, is_refusal: bool, is_unfinished: bool
) -> None:
    backing_service.answers = [message(text("Half a"), stop_reason=stop_reason)]

    completion = complete()

    assert (completion.is_refusal, completion.is_unfinished) == (is_refusal, is_unfinished)
    assert completion.text == ("" if is_refusal else "Half a")


def test_a_call_at_the_limit_is_cut() -> None:
    call = tool_use("search", {"query": "ch"})
    assert Completion([text("x"), call], "max_tokens").is_last_call_cut
    assert not Completion([call, text("x")], "max_tokens").is_last_call_cut
    assert not Completion([call], "tool_use").is_last_call_cut
    assert not Completion([], "max_tokens").is_last_call_cut


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_a_passing_error_is_tried_again(
    backing_service: Any, complete: Callable[..., Completion], pauses: list[float], status: int
) -> None:
    backing_service.answers = [refusal(status), refusal(status), message(text("Hello!"))]

    assert complete().text == "Hello!"
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.5
    assert 0 <= pauses[1] <= 1


def test_retry_after_is_honoured(
    backing_service: Any, complete: Callable[..., Completion], pauses: list[float]
) -> None:
    backing_service.answers = [refusal(429, retry_after="3"), message(text("Hello!"))]

    assert complete().text == "Hello!"
    assert pauses == [3.0]


def test_retry_after_beyond_the_deadline_ends_at_once(
    backing_service: Any, complete: Callable[..., Completion], pauses: list[float]
) -> None:
    backing_service.answers = [refusal(529, retry_after="30")]

    with pytest.raises(ClaudeBusyError) as busy:
        complete(seconds=5)
    assert busy.value.retry_after_seconds == 30
    assert pauses == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(529, "overloaded_error"), {"status": 529, "error_type": "overloaded_error"}),
        (refusal(429, "rate_limit_error"), {"status": 429, "error_type": "rate_limit_error"}),
        ((502, {}, b"<html>"), {"status": 502, "error_type": "unknown"}),
        ((200, {}, b"<html>"), {"status": 200, "reason": "the answer cannot be read"}),
        ((200, {}, {"content": "x"}), {"status": 200, "reason": "the answer cannot be read"}),
        ((200, {}, []), {"status": 200, "reason": "the answer cannot be read"}),
        ("drop", {"reason": "there is no answer"}),
    ],
)
def test_it_gives_up_after_a_few_attempts_and_says_why(
    backing_service: Any,
    complete: Callable[..., Completion],
    pauses: list[float],
    failures: list[dict[str, Any]],
    answer: Any,
    reason: dict[str, Any],
) -> None:
    backing_service.answers = [answer]

    with pytest.raises(ClaudeBusyError) as busy:
        complete()
    assert busy.value.retry_after_seconds >= 1
    assert len(pauses) == MAXIMUM_ATTEMPTS - 1
    assert failures == [{"message": "Claude cannot be asked", "attempts": MAXIMUM_ATTEMPTS, **reason}]


NO_CREDIT = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade."
LIMIT = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."
WORKSPACE_LIMIT = "You have reached your specified workspace API usage limits."
CAPPED = {"error_code": "enforced_spend_limit_reached"}


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"type": "invalid_request_error", "message": NO_CREDIT}, "billing"),
        (400, {"type": "invalid_request_error", "message": LIMIT}, "billing"),
        (400, {"type": "invalid_request_error", "message": WORKSPACE_LIMIT}, "billing"),
        (402, {"type": "billing_error", "message": "s3cr3t"}, "billing"),
        (429, {"type": "rate_limit_error", "message": "s3cr3t", "details": CAPPED}, "billing"),
        (403, {"type": "permission_error", "message": "s3cr3t"}, "permission"),
        (404, {"type": "not_found_error", "message": "model: claude-x"}, "model"),
        (413, {"type": "request_too_large", "message": "s3cr3t"}, "size"),
        (400, {"type": "invalid_request_error", "message": "messages.0: s3cr3t"}, "request"),
        (422, {"type": "of_the_future"}, "request"),
        (400, None, "request"),
    ],
)
def test_a_refusal_is_told_apart_and_not_repeated(
    backing_service: Any,
    complete: Callable[..., Completion],
    failures: list[dict[str, Any]],
    status: int,
    error: dict[str, Any] | None,
    reason: str,
) -> None:
    backing_service.answers = [(status, {}, {"type": "error", "error": error} if error else b"<html>")]

    with pytest.raises(ClaudeRefusalError) as refused:
        complete()

    assert refused.value.reason == reason
    assert len(backing_service.requests) == 1
    kind = error["type"] if error else "unknown"
    assert failures == [
        {"message": "Claude refuses the request", "reason": reason, "status": status, "error_type": kind}
    ]


def test_another_key_may_have_the_permission(
    backing_service: Any, complete: Callable[..., Completion], keys: Keys
) -> None:
    backing_service.answers = [refusal(403, "permission_error"), message(text("Hello!"))]
    keys.values = ["key-1", "key-2"]

    assert complete().text == "Hello!"


@pytest.mark.parametrize("key", ["key\n", " key", "\tkey\r\n"])
def test_white_space_around_a_key_is_not_sent(
    backing_service: Any, complete: Callable[..., Completion], keys: Keys, key: str
) -> None:
    backing_service.answers = [message(text("Hello!"))]
    keys.values = [key]

    complete()

    assert backing_service.requests[0][2]["x-api-key"] == "key"


@pytest.mark.parametrize("key", ["\u201ckey\u201d", "ke\ny", "\ud800", "k\u00e9y"])
def test_a_key_that_no_header_can_carry_is_named(
    backing_service: Any, complete: Callable[..., Completion], keys: Keys, key: str
) -> None:
    keys.values = [key]

    with pytest.raises(SecretError, match=r"^ANTHROPIC_API_KEY holds") as named:
        complete()

    assert key not in str(named.value)
    assert backing_service.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_rotated_key_is_read_anew(
    backing_service: Any, complete: Callable[..., Completion], keys: Keys, status: int
) -> None:
    keys.values = ["key-1", "key-2"]
    backing_service.answers = [refusal(status), message(text("Hello!"))]

    assert complete().text == "Hello!"
    assert [headers["x-api-key"] for _, _, headers, _ in backing_service.requests] == ["key-1", "key-2"]


@pytest.mark.parametrize("values", [["key-1"], ["key-1", "key-2"]])
def test_a_refused_key_is_named(
    backing_service: Any,
    complete: Callable[..., Completion],
    keys: Keys,
    values: list[str],
    failures: list[dict[str, Any]],
) -> None:
    keys.values = list(values)
    backing_service.answers = [refusal(401)]

    with pytest.raises(SecretError, match="ANTHROPIC_API_KEY is refused"):
        complete()
    assert len(backing_service.requests) == len(values)
    assert failures == [{"message": "Claude cannot be asked", "key": "ANTHROPIC_API_KEY", "reason": "is refused"}]


def test_without_a_key_nothing_is_sent(
    backing_service: Any, complete: Callable[..., Completion], keys: Keys, failures: list[dict[str, Any]]
) -> None:
    keys.values = [""]

    with pytest.raises(SecretError, match="ANTHROPIC_API_KEY is not set"):
        complete()
    assert backing_service.requests == []
    assert failures == [{"message": "Claude cannot be asked", "key": "ANTHROPIC_API_KEY", "reason": "is not set"}]


def test_reaching_claude(backing_service: Any, keys: Keys) -> None:
    claude = Claude(base_url=backing_service.url, model="claude-x", secrets=keys.secrets)
    backing_service.answers = [(200, {}, {"data": []}), refusal(429), refusal(401), refusal(529), refusal(402)]

    for _ in range(2):
        claude.reach(2)
    with pytest.raises(SecretError):
        claude.reach(2)
    with pytest.raises(BackingServiceError, match="529"):
        claude.reach(2)
    with pytest.raises(BackingServiceError, match="billing"):
        claude.reach(2)
    assert json.dumps(backing_service.requests[0][:2]) == '["GET", "/v1/models?limit=1"]'
