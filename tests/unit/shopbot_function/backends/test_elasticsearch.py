"""What is sent to Elasticsearch, and what becomes of its answers."""

from __future__ import annotations

from typing import Any

import pytest
from shopping_bot.backends import BackingServiceError
from shopping_bot.backends.elasticsearch import Found, ProductIndex
from shopping_bot.deadline import Deadline

from lambda_http.json_secret import JsonSecret, SecretError

HITS = {"hits": {"total": {"value": 7, "relation": "eq"}, "hits": [{"_id": "a", "_source": {"sku": "a"}}]}}
REFUSED = {"error": {"type": "security_exception", "reason": "no"}, "status": 401}


class Keys:
    """A secret whose key changes at each reading."""

    def __init__(self, *keys: str) -> None:
        self.left = list(keys)

    def __call__(self) -> dict[str, str]:
        return {"ES_API_KEY": self.left.pop(0) if len(self.left) > 1 else self.left[0]}


def catalog(backing_service: Any, *keys: str, index: str = "products") -> ProductIndex:
    return ProductIndex(f"{backing_service.url}/", index, JsonSecret(Keys(*keys), print))


def test_a_search_is_one_post(backing_service: Any) -> None:
    backing_service.answers = [(200, {}, HITS)]
    found = catalog(backing_service, "a2V5").find({"query": {"match_all": {}}}, deadline=Deadline(5))
    assert found == Found([{"sku": "a"}], 7)
    method, path, headers, _ = backing_service.requests[0]
    assert (method, path) == ("POST", "/products/_search")
    assert headers["authorization"] == "ApiKey a2V5"
    assert headers["accept"] == headers["content-type"] == "application/vnd.elasticsearch+json; compatible-with=8"
    assert backing_service.json() == {"query": {"match_all": {}}}


def test_without_a_key_none_is_sent(backing_service: Any) -> None:
    backing_service.answers = [(200, {}, HITS)]
    catalog(backing_service, "").find({}, deadline=Deadline(5))
    assert "authorization" not in backing_service.requests[0][2]


def test_a_refused_key_is_read_anew_once(backing_service: Any) -> None:
    backing_service.answers = [(401, {}, REFUSED), (200, {}, HITS)]
    assert catalog(backing_service, "old", "new").find({}, deadline=Deadline(5)).total == 7
    assert [headers["authorization"] for _, _, headers, _ in backing_service.requests] == ["ApiKey old", "ApiKey new"]


@pytest.mark.parametrize("user", ["user:secret", "user", "user:s@cret"])
def test_an_address_with_a_password_is_refused_and_the_password_is_not_said(backing_service: Any, user: str) -> None:
    url = backing_service.url.replace("://", f"://{user}@")
    index = ProductIndex(url, "products", JsonSecret(Keys("a2V5"), print))
    with pytest.raises(BackingServiceError, match="ES_URL holds a user and a password: use an ES_API_KEY") as refused:
        index.find({}, deadline=Deadline(5))
    assert "cret" not in str(refused.value)
    assert backing_service.requests == []


@pytest.mark.parametrize(("keys", "requests"), [(("old", "new"), 2), (("old", "old"), 1)])
def test_a_key_that_stays_refused_is_named(backing_service: Any, keys: tuple[str, ...], requests: int) -> None:
    backing_service.answers = [(403, {}, REFUSED)]
    with pytest.raises(SecretError, match=r"^ES_API_KEY is refused$"):
        catalog(backing_service, *keys).find({}, deadline=Deadline(5))
    assert len(backing_service.requests) == requests


@pytest.mark.parametrize("key", ["a2V5\n", " a2V5 "])
def test_white_space_around_a_key_is_not_sent(backing_service: Any, key: str) -> None:
    backing_service.answers = [(200, {}, HITS)]
    catalog(backing_service, key).find({}, deadline=Deadline(5))
    assert backing_service.requests[0][2]["authorization"] == "ApiKey a2V5"


@pytest.mark.parametrize("keys", [("\u201ckey\u201d",), ("\ud800",), ("good", "ke\ny")])
def test_a_key_that_no_header_can_carry_is_named(backing_service: Any, keys: tuple[str, ...]) -> None:
    backing_service.answers = [(401, {}, REFUSED)]
    with pytest.raises(SecretError, match=r"^ES_API_KEY holds"):
        catalog(backing_service, *keys).find({}, deadline=Deadline(5))
    assert len(backing_service.requests) == len(keys) - 1


@pytest.mark.parametrize(
    ("part", "is_partial"),
    [
        ({"_shards": {"total": 3, "successful": 3, "skipped": 1, "failed": 0}, "timed_out": False}, False),
        ({"_shards": {"total": 3, "successful": 2, "skipped": 0, "failed": 1}}, True),
        ({"_shards": {"total": 3, "successful": 2, "skipped": 0, "failed": 0}}, True),
        ({"timed_out": True}, True),
        ({}, False),
    ],
)
def test_results_of_some_shards_only_are_known_as_such(
    backing_service: Any, part: dict[str, Any], is_partial: bool
) -> None:
    backing_service.answers = [(200, {}, HITS | part)]
    assert catalog(backing_service, "key").find({}, deadline=Deadline(5)).is_partial is is_partial


def test_a_document_that_is_no_product_is_left_out(backing_service: Any) -> None:
    hits = [{"_source": {"sku": "a"}}, {"_source": {"name": "foreign"}}, {"_source": {"sku": 5}}]
    backing_service.answers = [(200, {}, {"hits": {"total": {"value": 3}, "hits": hits}})]
    assert catalog(backing_service, "key").find({}, deadline=Deadline(5)).products == [{"sku": "a"}]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, {"error": {"type": "index_not_found_exception"}}, "there is no index products"),
        (400, {"error": {"type": "parsing_exception", "reason": "secret words"}}, r"status 400 \(parsing_exception\)$"),
        (503, b"<html>", "status 503$"),
        (429, {"error": "busy"}, "status 429$"),
        (200, b"<html>", "not that of a search"),
        (200, {"hits": {}}, "not that of a search"),
        (200, {"hits": {"hits": [{"_id": "a"}], "total": {"value": 1}}}, "not that of a search"),
    ],
)
def test_an_answer_that_is_no_use_is_a_backing_service_that_is_down(
    backing_service: Any, status: int, body: Any, reason: str
) -> None:
    backing_service.answers = [(status, {}, body)]
    with pytest.raises(BackingServiceError, match=reason):
        catalog(backing_service, "key").find({}, deadline=Deadline(5))


def test_the_deadline_is_kept(backing_service: Any) -> None:
    import threading

    release = threading.Event()
    backing_service.answers = [lambda _: release.wait(5) and None]
    with pytest.raises(BackingServiceError, match="no answer in time"):
        catalog(backing_service, "key").find({}, deadline=Deadline(0.1))
    release.set()


def test_an_index_is_one_part_of_the_path(backing_service: Any) -> None:
    backing_service.answers = [(200, {}, {"count": 1})]
    catalog(backing_service, "key", index="a/../b").reach(5)
    assert backing_service.requests[0][:2] == ("GET", "/a%2F..%2Fb/_count")
