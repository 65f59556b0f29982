from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from app.config import settings

from lambda_http import aws_clients

Call = Callable[..., Any]


def rest(path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "resource": path,
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


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    from app.observability import logger

    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


def test_the_root(call: Call, request_event: Call) -> None:
    answer = call(request_event("GET", "/"))

    assert answer.status == 200
    assert answer.json == {"status": "ok", "message": answer.json["message"], "service": "inventory"}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("event", [rest("/"), load_balancer("/"), {**rest("/"), "version": "1.0"}])
def test_every_event_source_is_answered(call: Call, event: dict[str, Any]) -> None:
    assert call(event).json["status"] == "ok"


def test_a_load_balancer_with_multi_value_headers(call: Call) -> None:
    event = load_balancer("/nowhere")
    event["multiValueHeaders"] = {"host": ["shop.example"], "x-amzn-trace-id": ["Root=1-abc"]}
    del event["headers"]

    answer = call(event)

    assert (answer.status, answer.json["request_id"]) == (404, "1-abc")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_query_of_a_load_balancer_is_decoded_once(call: Call) -> None:
    event = load_balancer("/inventory", queryStringParameters={"limit": "%31%30%31"})

    assert call(event).json["errors"][0]["parameter"] == "limit"


def test_the_servers_of_the_document_name_the_stage(call: Call) -> None:
    assert call(rest("/openapi.json")).json["servers"] == [{"url": "/prod"}]
    assert "servers" not in call(load_balancer("/openapi.json")).json


def test_an_unknown_path_and_method(call: Call, request_event: Call) -> None:
    unknown = call(request_event("GET", "/nowhere"))
    wrong = call(request_event("PATCH", "/inventory/A"))

    assert unknown.status == 404
    assert unknown.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": unknown.json["detail"],
        "request_id": "id-1",
    }
    assert wrong.status == 405
    assert wrong.headers["allow"] == "DELETE, GET, PUT"
    assert wrong.headers["content-type"] == "application/problem+json"
    assert call(request_event("GET", "/inventory/")).status == 404
    assert call(request_event("GET", "/redoc")).status == 404
    assert call(request_event("GET", "/docs/oauth2-redirect.html")).status == 404


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ("{", 400, "JSON"),
        ('{"name":"a","name":"b"}', 400, "repeats"),
        ("[" * 50_000, 400, "nested"),
        ('"\\ud800"', 400, "surrogate"),
        ("[]", 422, "body"),
        (None, 422, "body"),
        ("null", 422, "body"),
        ('{"sku":"A","name":"a","qty":1,"price":1e400}', 400, "too large"),
        ('{"sku":"A","name":"a","qty":NaN}', 400, "NaN"),
        ('{"sku":"A","name":"a","qty":1,"brand":"x"}', 422, "brand"),
        ('{"sku":"A","name":"\\u0000","qty":1}', 422, "name"),
        ("x" * 66_000, 413, "65536"),
    ],
)
def test_bad_bodies(call: Call, request_event: Call, body: str | None, status: int, word: str) -> None:
    answer = call(request_event("POST", "/inventory", body, content_type="application/json"))

    assert answer.status == answer.json["status"] == status
    assert word in answer.json["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/inventory"),
        ("PUT", "/inventory/A"),
        ("POST", "/inventory/A/adjustments"),
        ("DELETE", "/inventory/A"),
        ("GET", "/inventory"),
        ("GET", "/inventory/A"),
        ("GET", "/file/download/a"),
        ("GET", "/docs"),
        ("GET", "/"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_refused_and_logged_like_any_other(
    call: Call,
    request_event: Call,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    method: str,
    path: str,
    *,
    declared: bool,
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ShopOnSam")
    headers = {"content_length": "70000"} if declared else {}

    answer = call(request_event(method, path, "x" * 70_000, **headers))

    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
    assert (answer.json["status"], answer.json["request_id"]) == (413, "id-1")
    (line,) = [json.loads(each) for each in log.getvalue().splitlines()]
    assert (line["message"], line["status"], line["level"]) == ("Answered", 413, "INFO")
    assert line["route"].startswith(f"{method} /")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["ClientErrors"] == [1.0]
    assert captured.err == ""


def test_a_body_that_is_not_utf8(call: Call, request_event: Call) -> None:
    event = request_event("POST", "/inventory", "/w==")
    event["isBase64Encoded"] = True

    assert call(event).status == 400


def test_a_validation_problem_points_to_every_mistake(call: Call, request_event: Call) -> None:
    body = json.dumps({"sku": "A", "qty": "5", "price": "x", "a/b~": 1})

    errors = call(request_event("POST", "/inventory", body)).json["errors"]

    assert {error["pointer"] for error in errors} == {"#/name", "#/qty", "#/price", "#/a~1b~0"}
    assert all(error["detail"] for error in errors)


def test_a_problem_never_repeats_a_value(call: Call, request_event: Call) -> None:
    body = json.dumps({"sku": "s3cr3t value", "name": "s3cr3t\n", "qty": "s3cr3t", "price": "s3cr3t"})

    assert b"s3cr3t" not in call(request_event("POST", "/inventory", body)).body


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 422),
        ("application/merge-patch+json", 422),
        ("application/x-www-form-urlencoded", 422),
        ("text/plain", 422),
        ("", 422),
        ("multipart/form-data; boundary=x", 415),
        ("application/xml", 415),
        ("image/png", 415),
    ],
)
def test_the_type_of_the_body(call: Call, request_event: Call, content_type: str, status: int) -> None:
    answer = call(request_event("POST", "/inventory", "{}", content_type=content_type))

    assert answer.status == status


def test_bad_parameters(call: Call, request_event: Call) -> None:
    for query in ("limit=0", "limit=101", "limit=x", "cursor=x"):
        event = request_event("GET", "/inventory")
        event["rawQueryString"] = query
        answer = call(event)
        assert answer.status == 422
        assert answer.json["errors"][0]["in"] == "query"
    for path in ("/inventory/a b", "/inventory/..", "/inventory/" + "a" * 65, "/inventory/a\n"):
        assert call(request_event("GET", path)).status == 422


def test_an_error_of_the_service_says_nothing_of_itself(
    call: Call, request_event: Call, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    from app import table

    def fail(_sku: str) -> None:
        raise RuntimeError("s3cr3t")

    monkeypatch.setattr(table, "get", fail)

    answer = call(request_event("GET", "/inventory/A"))

    assert (answer.status, answer.json["request_id"]) == (500, "id-1")
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"s3cr3t" not in answer.body
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["message"] for line in lines] == ["The request failed", "Answered"]
    assert {line["correlation_id"] for line in lines} == {"id-1"}


def test_an_error_of_the_service_is_counted_for_its_version(
    call: Call, request_event: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app import table

    monkeypatch.setattr(table, "get", None)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ShopOnSam")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "inventory")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")

    assert call(request_event("GET", "/inventory/A")).status == 500

    failures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (failures["Failures"], failures["service"], failures["version"]) == ([1.0], "inventory", "7")
    assert failures["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["version", "service"]]


def test_logs_and_metrics_hold_the_template_and_no_value(
    call: Call,
    request_event: Call,
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ShopOnSam")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "inventory")

    call(request_event("PUT", "/inventory/S3CR3T", '{"name":"s3cr3t"}', x_api_key="s3cr3t"))
    call(request_event("GET", "/s3cr3t"))

    metrics = capsys.readouterr().out
    assert "s3cr3t" not in (log.getvalue() + metrics).lower()
    for text in (log.getvalue(), metrics):
        routes = [json.loads(line)["route"] for line in text.splitlines()]
        assert routes == ["PUT /inventory/{sku}", "unmatched"]
    record = json.loads(metrics.splitlines()[0])
    assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["route", "service"]]
    assert record["ClientErrors"] == [1.0]


def test_what_is_no_request_is_refused(call: Call) -> None:
    with pytest.raises(ValueError, match="answers HTTP requests"):
        call({"Records": [{"eventSource": "aws:sqs"}]})


@pytest.mark.parametrize(
    "filename", ["", "..", "../x", "..%2fx", "..%252fx", "%2e%2e", "a\\b", "a\nb", "a\r\nX: y", "a\x00", "x" * 256]
)
def test_bad_filenames(call: Call, request_event: Call, filename: str) -> None:
    answer = call(request_event("GET", f"/file/download/{filename}"))

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/inventory/a"), ("GET", "/inventory"), ("DELETE", "/inventory/a"), ("GET", "/file/download/a.txt")],
)
def test_no_request_that_calls_aws_starts_a_thread(
    call: Call, request_event: Call, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    ran_in = []

    def client(*_: Any) -> Any:
        ran_in.append(threading.current_thread())
        raise OSError

    for name in ("TABLE_NAME", "S3_BUCKET", "SECRETS_MANAGER_SECRET"):
        monkeypatch.setenv(name, name.lower())
    settings.cache_clear()
    monkeypatch.setattr(aws_clients, "_client", client)
    assert call(request_event(method, path)).status >= 500
    settings.cache_clear()
    assert set(ran_in) == {threading.current_thread()}
