from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response
from shopping_bot.backends.claude import ClaudeBusyError, ClaudeRefusalError
from shopping_bot.extensions import Extensions

from lambda_http.json_secret import SecretError
from tests.unit.shopbot_function.fakes import product, session_ids, text, tool_use

Call = Callable[..., Any]
REASONS = ("billing", "permission", "model", "size", "request")
CHAT = {"user_id": "u1", "message": "hi"}


def rest(path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Host": "abc.execute-api.eu-west-1.amazonaws.com"},
        "multiValueHeaders": {"Host": ["abc.execute-api.eu-west-1.amazonaws.com"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "stage": "prod",
            "path": f"/prod{path}",
            "requestId": "rest-id",
            "identity": {"sourceIp": "1.2.3.4"},
            "authorizer": None,
        },
        "body": None,
        "isBase64Encoded": False,
        **more,
    }


def load_balancer(path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/1"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {"host": "shop.example", "x-amzn-trace-id": "Root=1-abc", "x-forwarded-port": "80"},
        "body": "",
        "isBase64Encoded": False,
        **more,
    }


def http_api(path: str, stage: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    context = {
        "http": {"method": method, "path": path, "sourceIp": "1.2.3.4"},
        "stage": stage,
        "requestId": "v2-id",
        "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
        "authorizer": None,
    }
    headers = {"Host": "abc.execute-api.eu-west-1.amazonaws.com"}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": context,
        **more,
    }


@pytest.mark.parametrize(
    "event",
    [
        http_api("/health", "$default"),
        http_api("/prod/health", "prod"),
        rest("/health"),
        {**rest("/health"), "version": "1.0", "multiValueHeaders": None},
        load_balancer("/health"),
        {**load_balancer("/health"), "headers": None, "multiValueHeaders": {"host": ["x"]}},
    ],
)
def test_every_event_source_and_stage_is_answered(call: Call, event: dict[str, Any]) -> None:
    answer = call(event)

    assert (answer.status, answer.json) == (200, {"status": "ok", "service": "shopbot"})


@pytest.fixture
def with_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    import lambda_handler

    other = Flask("other", static_folder=None)

    @other.route("/cookies", methods=["GET", "POST"])
    def cookies() -> Response:
        from flask import request, url_for

        body = {"seen": dict(request.cookies), "body": request.get_data().hex(), "url": url_for("cookies")}
        response = Response(json.dumps(body), mimetype="application/json")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @other.get("/image")
    def image() -> Response:
        return Response(b"\x89PNG\xff", mimetype="image/png")

    monkeypatch.setattr(lambda_handler, "application", other)


@pytest.mark.usefixtures("with_cookies")
def test_cookies_come_and_go_in_each_format() -> None:
    from lambda_handler import lambda_handler

    v2 = lambda_handler(http_api("/prod/cookies", "prod", cookies=["x=1", "y=2"]), None)
    v1 = lambda_handler(rest("/cookies", multiValueHeaders={"Cookie": ["x=1; y=2"]}), None)
    elb = lambda_handler(load_balancer("/cookies", headers={"cookie": "x=1; y=2"}), None)

    assert v2["cookies"] == ["a=1; Path=/", "b=2; Path=/"]
    assert not any(name.lower() == "set-cookie" for name in v2["headers"])
    assert v1["multiValueHeaders"]["set-cookie"] == ["a=1; Path=/", "b=2; Path=/"]
    assert [elb["headers"][name] for name in ("set-cookie", "Set-cookie")] == ["a=1; Path=/", "b=2; Path=/"]
    assert {json.dumps(json.loads(answer["body"])["seen"]) for answer in (v2, v1, elb)} == {'{"x": "1", "y": "2"}'}
    assert json.loads(v2["body"])["url"] == json.loads(v1["body"])["url"] == "/prod/cookies"


@pytest.mark.usefixtures("with_cookies")
@pytest.mark.parametrize("event", [http_api("/cookies", "$default"), rest("/cookies"), load_balancer("/cookies")])
def test_binary_bodies_in_and_out(event: dict[str, Any]) -> None:
    from lambda_handler import lambda_handler

    raw = bytes(range(256))
    event = {**event, "body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
    assert json.loads(lambda_handler(event, None)["body"])["body"] == raw.hex()

    answer = lambda_handler(http_api("/image", "$default"), None)
    assert answer["isBase64Encoded"]
    assert base64.b64decode(answer["body"]) == b"\x89PNG\xff"


def test_a_chat(call: Call, request_event: Call, shop: Any) -> None:
    shop.search.products = [product("A")]
    shop.claude.script = [
        tool_use("search_products", {"query": "chips"}, "t1"),
        tool_use("recommend", {"skus": ["A"], "summary": "Crisp.", "quick_replies": ["Cheaper ones"]}, "t2"),
    ]

    answer = call(request_event("POST", "/chat", {"user_id": "u1", "message": "chips", "channel": "web"}))

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["response_type"] == "final_answer"
    assert answer.json["content"]["products"][0]["price"] == 85.0
    assert b'"price":85.00' in answer.body
    assert session_ids().belongs_to(answer.json["session_id"], "u1")
    meta = answer.json["meta"]
    assert set(meta) == {"elapsed_time", "functions_executed", "timestamp", "request_id", "degraded"}
    assert meta["functions_executed"] == ["search_products", "recommend"]
    assert (meta["request_id"], meta["degraded"]) == ("id-1", [])


def test_a_conversation_from_its_begin_to_its_end(call: Call, request_event: Call, shop: Any) -> None:
    shop.claude.script = [text("Hello!"), text("Hello again!")]
    session_id = call(request_event("POST", "/chat", CHAT)).json["session_id"]
    assert call(request_event("POST", "/chat", {**CHAT, "session_id": session_id})).json["session_id"] == session_id

    history = call(request_event("GET", f"/chat/{session_id}", query="user_id=u1")).json
    assert [turn["role"] for turn in history["turns"]] == ["user", "assistant"] * 2
    assert history["turns"][0]["content"] == "hi"
    assert history["turns"][1]["content"] == {"response_type": "casual", "content": {"message": "Hello!"}}

    assert call(request_event("DELETE", f"/chat/{session_id}", query="user_id=u1")).json["status"] == "deleted"
    for method in ("GET", "DELETE"):
        assert call(request_event(method, f"/chat/{session_id}", query="user_id=u1")).status == 404
    reset = request_event("POST", "/reset", {"user_id": "u1", "session_id": session_id})
    assert call(reset).json == {"status": "reset", "session_id": session_id}


def test_someone_elses_session_cannot_be_told_from_none(call: Call, request_event: Call, shop: Any) -> None:
    shop.claude.script = [text("Hello!")]
    session_id = call(request_event("POST", "/chat", CHAT)).json["session_id"]
    never = session_ids().new("u9")

    answers = [
        call(event)
        for known in (session_id, never, "nonsense")
        for event in (
            request_event("GET", f"/chat/{known}", query="user_id=u2"),
            request_event("DELETE", f"/chat/{known}", query="user_id=u2"),
            request_event("POST", "/chat", {"user_id": "u2", "message": "hi", "session_id": known}),
            request_event("POST", "/reset", {"user_id": "u2", "session_id": known}),
        )
    ]

    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert len(shop.conversations.kept[session_id]) == 2


def test_a_second_message_at_once(call: Call, request_event: Call, shop: Any) -> None:
    session_id = session_ids().new("u1")
    shop.conversations.locks[session_id] = "x"

    answer = call(request_event("POST", "/chat", {**CHAT, "session_id": session_id}))

    assert (answer.status, answer.json["response_type"]) == (202, "processing")
    assert answer.headers["Retry-After"] == "2"
    assert answer.json["content"]["message"]


@pytest.mark.parametrize(
    ("error", "word", "retry_after"),
    [
        (ClaudeBusyError(7), "busy", "7"),
        (SecretError("ANTHROPIC_API_KEY", "is not set"), "ANTHROPIC_API_KEY", None),
        *((ClaudeRefusalError(reason), "out of order", None) for reason in REASONS),
    ],
)
def test_without_claude(
    call: Call, request_event: Call, shop: Any, error: Exception, word: str, retry_after: str | None
) -> None:
    shop.claude.script = [error]

    answer = call(request_event("POST", "/chat", CHAT))

    assert answer.status == answer.json["status"] == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers.get("Retry-After") == retry_after
    assert word in answer.json["detail"]
    assert (answer.json["response_type"], answer.json["content"]["message"]) == ("error", answer.json["detail"])
    assert answer.json["session_id"]
    assert shop.conversations.locks == {}


def test_without_redis(call: Call, request_event: Call, shop: Any) -> None:
    shop.conversations.down = True
    shop.claude.script = [text("Hello!")]
    session_id = session_ids().new("u1")

    answer = call(request_event("POST", "/chat", {**CHAT, "session_id": session_id}))
    history = call(request_event("GET", f"/chat/{session_id}", query="user_id=u1"))

    assert (answer.status, answer.json["meta"]["degraded"]) == (200, ["redis"])
    assert (history.status, history.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("{", "JSON"),
        ("", "empty"),
        (None, "empty"),
        ("[]", "object"),
        ('"hi"', "object"),
        ("null", "object"),
        ("[" * 50_000, "nested"),
        ('{"user_id":"u1","message":"\\ud800"}', "surrogate"),
        ('{"user_id":"u1","message":"\ud800"}', "UTF-8"),
        ('{"user_id":"u1","user_id":"u2","message":"hi"}', "repeats"),
        ('{"user_id":"u1"}', "message"),
        ('{"user_id":"u1","message":{}}', "message"),
        ('{"user_id":"u1","message":"hi","temperature":1e99}', "large"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_bad_bodies(call: Call, request_event: Call, body: str | None, word: str) -> None:
    answer = call(request_event("POST", "/chat", body, content_type="application/json"))

    assert answer.status == answer.json["status"] == 400
    assert word in answer.json["detail"]
    assert answer.json["detail"].endswith(".")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 200),
        ("", 200),
        ("multipart/form-data; boundary=x", 415),
        ("image/png", 415),
    ],
)
def test_the_type_of_the_body(call: Call, request_event: Call, shop: Any, content_type: str, status: int) -> None:
    shop.claude.script = [text("Hello!")]

    assert call(request_event("POST", "/chat", CHAT, content_type=content_type)).status == status


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("path", ["/chat", "/health", "/health/ready", "/products/search", "/nowhere"])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
@pytest.mark.parametrize("headers", [{}, {"content_length": "70000"}])
def test_a_body_that_is_too_large_is_a_problem_on_every_route_and_logged_like_any_answer(
    call: Call, request_event: Call, log: io.StringIO, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = call(request_event(method, path, "x" * 70_000, **headers))

    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    assert answer.json["detail"] == "The body is too large; send at most 65536 bytes."
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["message"], line["status"]) == ("Answered", 413)


@pytest.mark.usefixtures("shop")
def test_unknown_paths_and_methods(call: Call, request_event: Call) -> None:
    unknown = call(request_event("GET", "/nowhere"))
    wrong = call(request_event("PATCH", "/chat"))

    assert unknown.status == 404
    assert unknown.json["request_id"] == "id-1"
    assert "POST /chat" in unknown.json["detail"]
    assert (wrong.status, wrong.headers["Allow"]) == (405, "OPTIONS, POST")
    assert call(request_event("GET", "/chat/")).status == 404
    assert call(request_event("GET", "/chat/x/y")).status == 404
    assert call(request_event("GET", "/chat/x")).status == 400
    assert call(request_event("GET", "/chat/a?b", query="user_id=u1")).status == 404


def test_an_error_of_the_service_says_nothing_of_itself(
    call: Call, request_event: Call, shop: Any, log: io.StringIO
) -> None:
    shop.claude.script = [RuntimeError("s3cr3t")]

    answer = call(request_event("POST", "/chat", CHAT))

    assert (answer.status, answer.json["request_id"]) == (500, "id-1")
    assert b"s3cr3t" not in answer.body
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["The request failed", "Answered"]
    assert {line["correlation_id"] for line in lines} == {"id-1"}
    assert "s3cr3t" not in log.getvalue()
    assert lines[0]["error"] == "RuntimeError"
    assert lines[0]["stack"][-1].endswith(" complete")


def test_logs_and_metrics_hold_no_word_of_the_customer(
    call: Call,
    request_event: Call,
    shop: Any,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ShopOnSam")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shopbot")
    shop.conversations.down = True
    shop.claude.script = [tool_use("search_products", {"query": "s3cr3t"}), text("s3cr3t")]

    call(request_event("POST", "/chat", {"user_id": "s3cr3t", "message": "s3cr3t"}, authorization="s3cr3t"))
    call(request_event("GET", "/s3cr3t"))
    call(request_event("GET", "/chat/s3cr3t", query="user_id=s3cr3t"))

    metrics = capsys.readouterr().out
    assert "s3cr3t" not in (log.getvalue() + metrics).lower()
    routes = ["POST /chat", "unmatched", "GET /chat/<session_id>"]
    answered = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["route"] for line in answered if line["message"] == "Answered"] == routes
    records = [json.loads(line) for line in metrics.splitlines()]
    assert [record["route"] for record in records] == routes
    assert records[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["route", "service"]]
    assert (records[0]["Requests"], records[0]["ToolCalls"], records[0]["DegradedAnswers"]) == ([1.0], [1.0], [1.0])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClaudeBusyError(2), "busy"),
        (SecretError("ANTHROPIC_API_KEY", "is refused"), "key"),
        *((ClaudeRefusalError(reason), reason) for reason in REASONS),
    ],
)
def test_a_failure_of_claude_is_counted_in_the_series_that_its_alarm_watches_and_by_its_reason(
    call: Call,
    request_event: Call,
    shop: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    reason: str,
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ShopOnSam")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shopbot")
    shop.claude.script = [error]

    assert call(request_event("POST", "/chat", CHAT)).status == 503

    watched, told_apart = map(json.loads, capsys.readouterr().out.splitlines()[-2:])
    assert (watched["ClaudeFailures"], watched["service"]) == ([1.0], "shopbot")
    assert watched["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert (told_apart["ClaudeFailures"], told_apart["reason"]) == ([1.0], reason)


def test_an_error_of_the_service_is_counted_for_its_version(
    call: Call, request_event: Call, shop: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ShopOnSam")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shopbot")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    shop.claude.script = [RuntimeError("unexpected")]

    assert call(request_event("POST", "/chat", CHAT)).status == 500

    failures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (failures["Failures"], failures["service"], failures["version"]) == ([1.0], "shopbot", "7")
    assert failures["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["version", "service"]]


def test_a_search_by_hand(call: Call, request_event: Call, shop: Any) -> None:
    shop.search.products = [product("A")]

    answer = call(request_event("POST", "/products/search", {"query": "chips"}))

    assert (answer.status, answer.json["returned"]) == (200, 1)


def test_a_missing_extension_is_a_clear_503(call: Call, request_event: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    import lambda_handler

    settings = {**lambda_handler.application.config, "SECRETS_MANAGER_SECRET": ""}
    monkeypatch.setitem(lambda_handler.application.extensions, "shopping_bot", Extensions(settings))

    answer = call(request_event("POST", "/chat", CHAT))

    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert "SECRETS_MANAGER_SECRET is not set" in answer.json["detail"]


def test_an_extension_that_cannot_be_made_is_a_clear_503(
    call: Call, request_event: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lambda_handler

    def fail(*_: Any, **__: Any) -> None:
        raise ImportError("No module named s3cr3t")

    settings = {**lambda_handler.application.config, "SECRETS_MANAGER_SECRET": "arn"}
    monkeypatch.setitem(lambda_handler.application.extensions, "shopping_bot", Extensions(settings))
    monkeypatch.setattr("shopping_bot.chat.conversations.Conversations", fail)

    answer = call(request_event("POST", "/chat", CHAT))

    assert answer.status == 503
    assert "conversations" in answer.json["detail"]
    assert b"s3cr3t" not in answer.body


def at(path: str, domain: str = "api.shop.example", **context: Any) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "203.0.113.9", "protocol": "HTTP/1.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": domain},
        "requestContext": {"domainName": domain, "http": http, "requestId": "id-1", "stage": "$default", **context},
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    "event",
    [
        at("/health"),
        at("/v1/health"),
        at("/shop/v1/health"),
        at("/v1/prod/health", stage="prod"),
        at("/prod/health", "abc.execute-api.eu-west-1.amazonaws.com", stage="prod"),
        at("/health", "abc.lambda-url.eu-west-1.on.aws"),
        rest("/health"),
        rest("/v1/health", pathParameters={"proxy": "health"}),
        rest("/health", pathParameters={"proxy": "health"}),
        load_balancer("/health"),
        load_balancer("/bot/health"),
    ],
    ids=lambda event: event.get("rawPath") or event["path"],
)
def test_the_assistant_answers_behind_any_stage_and_base_path(call: Call, event: dict[str, Any]) -> None:
    answer = call(event)

    assert (answer.status, answer.json) == (200, {"status": "ok", "service": "shopbot"})


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/nowhere", 404), ("/v1/products/search", 405), ("/v1/chat/x", 400)],
)
def test_behind_a_base_path_the_routes_are_the_same(call: Call, path: str, status: int) -> None:
    assert call(at(path)).status == status


def test_what_is_no_request_is_refused(call: Call) -> None:
    with pytest.raises(ValueError, match="answers HTTP requests"):
        call({"Records": [{"eventSource": "aws:sqs"}]})


def test_the_instance_path_is_the_temp_dir() -> None:
    import tempfile

    import lambda_handler

    assert lambda_handler.application.instance_path == tempfile.gettempdir()


def test_search_problems(call: Call, request_event: Call, shop: Any) -> None:
    from shopping_bot.backends import BackingServiceError

    shop.search.error = BackingServiceError("elasticsearch", "refused")

    answer = call(request_event("POST", "/products/search", {"query": "chips"}))

    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "product search" in answer.json["detail"]
