"""The official client takes the fake for an Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import (
    ApiError,
    AuthenticationException,
    BadRequestError,
    ConflictError,
    Elasticsearch,
    NotFoundError,
    helpers,
)

from tests.integration.emulator.backing_services.elasticsearch.node import running_node

MAPPINGS = {
    "properties": {
        "name": {"type": "text", "analyzer": "english", "fields": {"exact": {"type": "keyword"}}},
        "tags": {"type": "keyword"},
        "price": {"type": "scaled_float", "scaling_factor": 100},
        "quality": {"type": "integer"},
        "made": {"type": "date"},
        "fresh": {"type": "boolean"},
    }
}
PRODUCTS: list[dict[str, Any]] = [
    {"name": "Beetroot Chips", "tags": ["vegan", "snack"], "price": 85, "quality": 84, "made": "2026-11-01"},
    {"name": "Banana Chips", "tags": ["vegan"], "price": 95.5, "quality": 88, "made": "2026-10-01", "fresh": True},
    {"name": "Oat Cookies", "tags": [], "price": 110, "quality": 50, "made": "2026-09-01T10:00:00Z"},
]


@pytest.fixture(scope="module")
def client() -> Iterator[Elasticsearch]:
    with running_node() as node, Elasticsearch(node.url) as client:
        yield client


@pytest.fixture
def products(client: Elasticsearch) -> Iterator[str]:
    client.indices.create(index="products-1", mappings=MAPPINGS, settings={"number_of_shards": 1})
    actions = ({"_index": "products-1", "_id": str(number), **one} for number, one in enumerate(PRODUCTS))
    assert helpers.bulk(client, actions, refresh=True) == (3, [])
    yield "products-1"
    client.indices.delete(index="products-1")


def found(answer: Any) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


def test_it_is_there(client: Elasticsearch) -> None:
    assert client.ping()
    info = client.info()
    assert info["version"]["number"] == "8.19.3"
    assert info["tagline"] == "You Know, for Search"
    assert info.meta.headers["x-elastic-product"] == "Elasticsearch"
    assert info.meta.headers["content-type"].startswith("application/vnd.elasticsearch+json;compatible-with=")
    assert client.cluster.health()["status"] == "green"


def test_an_index_has_a_life(client: Elasticsearch) -> None:
    assert not client.indices.exists(index="short")
    assert client.indices.create(index="short", mappings=MAPPINGS)["acknowledged"]
    assert client.indices.exists(index="short")
    described = client.indices.get(index="short")["short"]
    assert described["mappings"] == MAPPINGS
    assert described["settings"]["index"]["provided_name"] == "short"
    with pytest.raises(BadRequestError) as refused:
        client.indices.create(index="short")
    assert refused.value.error == "resource_already_exists_exception"
    client.indices.delete(index="short")
    with pytest.raises(NotFoundError) as missing:
        client.indices.get(index="short")
    assert missing.value.error == "index_not_found_exception"


def test_documents_are_found(client: Elasticsearch, products: str) -> None:
    answer = client.search(index=products, query={"match": {"name": "chip"}})
    assert sorted(found(answer)) == ["0", "1"]
    assert answer["hits"]["total"] == {"value": 2, "relation": "eq"}
    assert answer["hits"]["hits"][0]["_source"]["name"].endswith("Chips")
    assert client.count(index=products)["count"] == 3
    assert client.count(index=products, query={"term": {"tags": "vegan"}})["count"] == 2


def test_a_page_is_cut_sorted_and_trimmed(client: Elasticsearch, products: str) -> None:
    answer = client.search(index=products, sort=[{"price": "desc"}], from_=1, size=1, source={"includes": ["name"]})
    assert found(answer) == ["1"]
    assert answer["hits"]["hits"][0]["_source"] == {"name": "Banana Chips"}
    assert answer["hits"]["hits"][0]["sort"] == [95.5]
    assert answer["hits"]["max_score"] is None
    assert found(client.search(index=products, sort="made")) == ["2", "1", "0"]


def test_documents_change(client: Elasticsearch, products: str) -> None:
    changed = client.index(index=products, id="0", document={"name": "Carrot Chips"}, refresh=True)
    assert (changed["result"], changed["_version"]) == ("updated", 2)
    assert client.get(index=products, id="0")["_source"] == {"name": "Carrot Chips"}
    assert client.index(index=products, document={"name": "Nameless"}, refresh="wait_for")["result"] == "created"
    with pytest.raises(ConflictError):
        client.create(index=products, id="0", document={"name": "Again"})
    assert client.delete(index=products, id="0")["result"] == "deleted"
    with pytest.raises(NotFoundError):
        client.get(index=products, id="0")
    with pytest.raises(NotFoundError):
        client.delete(index=products, id="0")


def test_a_search_sees_a_write_after_a_refresh(client: Elasticsearch, products: str) -> None:
    client.index(index=products, id="new", document={"name": "Late Chips"})
    assert "new" not in found(client.search(index=products, query={"match": {"name": "late"}}))
    client.indices.refresh(index=products)
    assert found(client.search(index=products, query={"match": {"name": "late"}})) == ["new"]


def test_bulk_tells_of_each_item(client: Elasticsearch, products: str) -> None:
    actions: list[dict[str, Any]] = [
        {"_op_type": "create", "_index": products, "_id": "0", "name": "Exists"},
        {"_op_type": "index", "_index": products, "_id": "9", "price": "cheap"},
        {"_op_type": "update", "_index": products, "_id": "1", "doc": {"price": 99}},
        {"_op_type": "update", "_index": products, "_id": "8", "doc": {"price": 99}},
        {"_op_type": "delete", "_index": products, "_id": "2"},
    ]
    done, errors = helpers.bulk(client, actions, refresh=True, raise_on_error=False)
    assert done == 2
    assert isinstance(errors, list)
    kinds = [(kind, item["status"], item["error"]["type"]) for error in errors for kind, item in error.items()]
    assert kinds == [
        ("create", 409, "version_conflict_engine_exception"),
        ("index", 400, "document_parsing_exception"),
        ("update", 404, "document_missing_exception"),
    ]
    assert client.get(index=products, id="1")["_source"]["price"] == 99
    assert client.count(index=products)["count"] == 2


def test_an_alias_moves_in_one_step(client: Elasticsearch, products: str) -> None:
    client.indices.create(index="products-2")
    client.indices.update_aliases(actions=[{"add": {"index": products, "alias": "shop"}}])
    assert client.count(index="shop")["count"] == 3
    assert client.indices.exists_alias(name="shop")
    client.indices.update_aliases(
        actions=[
            {"add": {"index": "products-2", "alias": "shop"}},
            {"remove": {"index": products, "alias": "shop"}},
        ]
    )
    assert list(client.indices.get_alias(name="shop")) == ["products-2"]
    with pytest.raises(BadRequestError, match="matches an alias"):
        client.indices.delete(index="shop")
    client.indices.delete(index="products-2")
    assert not client.indices.exists_alias(name="shop")


def test_an_unknown_clause_is_named(client: Elasticsearch, products: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        client.search(index=products, query={"bool": {"filter": [{"geo_distance": {"distance": "1km"}}]}})
    assert refused.value.error == "parsing_exception"
    assert "unknown query [geo_distance]" in refused.value.message or "geo_distance" in str(refused.value)


def test_an_unknown_endpoint_is_named(client: Elasticsearch, products: str) -> None:
    with pytest.raises(ApiError) as refused:
        client.perform_request("GET", "/_ml/anomaly_detectors", headers={"accept": "application/json"})
    assert refused.value.status_code == 400
    with pytest.raises(BadRequestError, match="unrecognized parameter: \\[routing\\]"):
        client.search(index=products, routing="a")


def test_the_key_is_checked() -> None:
    with running_node(api_key="c2hvcDprZXk=") as node:
        with Elasticsearch(node.url, api_key="c2hvcDprZXk=") as client:
            assert client.ping()
        with Elasticsearch(node.url, api_key="wrong") as client, pytest.raises(AuthenticationException) as refused:
            client.info()
        assert refused.value.error == "security_exception"
        with Elasticsearch(node.url) as client, pytest.raises(AuthenticationException):
            client.info()
        node.api_key = "bmV3OmtleQ=="
        with Elasticsearch(node.url, api_key="bmV3OmtleQ==") as client:
            assert client.info()["cluster_name"]


def test_half_a_surrogate_pair_is_no_text(client: Elasticsearch, products: str) -> None:
    with pytest.raises(BadRequestError, match="x_content_parse_exception"):
        client.perform_request(
            "POST",
            f"/{products}/_search",
            headers={"accept": "application/json", "content-type": "application/json"},
            body='{"query":{"term":{"tags":"\\ud800"}}}',
        )
