"""The official client takes the fake for an Elasticsearch."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from elasticsearch import ApiError, AuthenticationException, BadRequestError, Elasticsearch, NotFoundError

from emulator.backing_services.elasticsearch.wire import MAXIMUM_BODY_BYTES
from tests.integration.emulator.backing_services.elasticsearch.node import running_node

MAPPINGS = {
    "dynamic": "strict",
    "properties": {
        "name": {"type": "text", "analyzer": "english"},
        "tags": {"type": "keyword"},
        "price": {"type": "scaled_float", "scaling_factor": 100},
    },
}
PRODUCTS: list[dict[str, Any]] = [
    {"name": "Beetroot Chips", "tags": ["vegan", "snack"], "price": 85},
    {"name": "Banana Chips", "tags": ["vegan"], "price": 95.5},
    {"name": "Oat Cookies", "tags": [], "price": 110},
]


@pytest.fixture(scope="module")
def client() -> Iterator[Elasticsearch]:
    with running_node() as node, Elasticsearch(node.url) as client:
        yield client


@pytest.fixture
def products(client: Elasticsearch) -> Iterator[str]:
    client.indices.create(index="products-1", mappings=MAPPINGS)
    lines = [line for number, one in enumerate(PRODUCTS) for line in ({"index": {"_id": str(number)}}, one)]
    assert not client.bulk(index="products-1", operations=lines)["errors"]
    client.indices.refresh(index="products-1")
    yield "products-1"
    client.indices.delete(index="products-1")


def test_it_is_there(client: Elasticsearch) -> None:
    info = client.info()
    assert info["version"]["number"] == "8.19.3"
    assert info["tagline"] == "You Know, for Search"
    assert info.meta.headers["x-elastic-product"] == "Elasticsearch"
    assert info.meta.headers["content-type"].startswith("application/vnd.elasticsearch+json;compatible-with=")


def test_an_index_has_a_life(client: Elasticsearch) -> None:
    assert client.indices.create(index="short", mappings=MAPPINGS)["acknowledged"]
    with pytest.raises(BadRequestError) as refused:
        client.indices.create(index="short")
    assert refused.value.error == "resource_already_exists_exception"
    assert [index["index"] for index in client.cat.indices(format="json")] == ["short"]  # type: ignore[index]
    client.indices.delete(index="short")
    with pytest.raises(NotFoundError) as missing:
        client.indices.delete(index="short")
    assert missing.value.error == "index_not_found_exception"


def test_documents_are_found(client: Elasticsearch, products: str) -> None:
    answer = client.search(index=products, query={"match": {"name": "chip"}}, size=5)
    assert sorted(hit["_id"] for hit in answer["hits"]["hits"]) == ["0", "1"]
    assert answer["hits"]["total"] == {"value": 2, "relation": "eq"}
    assert {hit["_source"]["name"] for hit in answer["hits"]["hits"]} == {"Beetroot Chips", "Banana Chips"}
    assert client.count(index=products)["count"] == 3
    assert client.count(index=products, query={"term": {"tags": "vegan"}})["count"] == 2


def test_bulk_tells_of_each_item(client: Elasticsearch, products: str) -> None:
    lines: list[Any] = [{"index": {"_id": "0"}}, {"name": "Carrot Chips"}, {"index": {"_id": "9"}}, {"price": "cheap"}]
    answer = client.bulk(index=products, operations=lines)
    assert answer["errors"]
    assert [item["index"]["status"] for item in answer["items"]] == [200, 400]
    assert answer["items"][1]["index"]["error"]["type"] == "document_parsing_exception"
    with pytest.raises(BadRequestError, match=r"Malformed action/metadata line \[1\]"):
        client.bulk(index=products, operations=[{"delete": {"_id": "0"}}, {}])


def test_an_alias_moves_in_one_step(client: Elasticsearch, products: str) -> None:
    client.indices.create(index="products-2")
    client.indices.update_aliases(actions=[{"add": {"index": "products-2", "alias": "shop"}}])
    assert client.count(index="shop")["count"] == 0
    client.indices.update_aliases(
        actions=[{"add": {"index": products, "alias": "shop"}}, {"remove_index": {"index": "products-2"}}]
    )
    assert list(client.indices.get_alias(name="shop")) == [products]
    assert client.count(index="shop")["count"] == 3


def test_an_unknown_clause_is_named(client: Elasticsearch, products: str) -> None:
    with pytest.raises(BadRequestError, match=r"unknown query \[geo_distance\]") as refused:
        client.search(index=products, query={"bool": {"filter": [{"geo_distance": {"distance": "1km"}}]}})
    assert refused.value.error == "parsing_exception"


def test_an_unknown_endpoint_or_parameter_is_named(client: Elasticsearch, products: str) -> None:
    with pytest.raises(ApiError, match=r"no handler found for uri \[/_ml/anomaly_detectors\]") as refused:
        client.perform_request("GET", "/_ml/anomaly_detectors", headers={"accept": "application/json"})
    assert refused.value.status_code == 400
    with pytest.raises(BadRequestError, match="unrecognized parameter: \\[routing\\]"):
        client.search(index=products, routing="a")
    with pytest.raises(ApiError, match="no handler found"):
        client.get(index=products, id="0")


def test_the_key_is_checked() -> None:
    with running_node(api_key="c2hvcDprZXk=") as node:
        with Elasticsearch(node.url, api_key="c2hvcDprZXk=") as client:
            assert client.info()
        with Elasticsearch(node.url, api_key="wrong") as client, pytest.raises(AuthenticationException) as refused:
            client.info()
        assert refused.value.error == "security_exception"
        with Elasticsearch(node.url) as client, pytest.raises(AuthenticationException):
            client.info()
        assert httpx.get(node.url, headers=[(b"authorization", "ApiKey wröng".encode("latin-1"))]).status_code == 401
        node.api_key = "bmV3OmtleQ=="
        with Elasticsearch(node.url, api_key="bmV3OmtleQ==") as client:
            assert client.info()["cluster_name"]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "kind"),
    [
        (b'{"query":{"term":{"tags":"\\ud800"}}}', "application/json", 400, "x_content_parse_exception"),
        (b"{", "application/json", 400, "x_content_parse_exception"),
        (b"{}", "text/plain", 406, "media_type_header_exception"),
    ],
)
def test_a_body_that_is_not_json_is_refused(
    client: Elasticsearch, products: str, content: bytes, media_type: str, status: int, kind: str
) -> None:
    (node,) = client.transport.node_pool.all()
    answer = httpx.post(f"{node.base_url}/{products}/_search", content=content, headers={"content-type": media_type})
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == kind


def test_a_bulk_ends_with_a_newline(client: Elasticsearch, products: str) -> None:
    (node,) = client.transport.node_pool.all()
    headers = {"content-type": "application/x-ndjson"}
    answer = httpx.post(f"{node.base_url}/{products}/_bulk", content=b'{"index":{"_id":"a"}}\n{}', headers=headers)
    assert "terminated by a newline" in answer.json()["error"]["reason"]


def test_a_client_may_compress_what_it_sends() -> None:
    with running_node() as node, Elasticsearch(node.url, http_compress=True) as client:
        client.indices.create(index="products-1", mappings=MAPPINGS)
        assert client.count(index="products-1", query={"match_all": {}})["count"] == 0


@pytest.mark.parametrize(
    ("coding", "status"), [("gzip", 400), ("br", 400), ("identity", 200)], ids=["no gzip", "unknown", "none"]
)
def test_a_body_that_is_not_coded_as_it_says_is_refused(coding: str, status: int) -> None:
    headers = {"content-encoding": coding, "content-type": "application/json"}
    with running_node() as node:
        answer = httpx.put(f"{node.url}/products-1", content=b'{"mappings": {}}', headers=headers)
    assert answer.status_code == status, answer.text


def test_a_body_is_bounded_once_it_is_decoded() -> None:
    coded = gzip.compress(bytes(MAXIMUM_BODY_BYTES + 1), compresslevel=1)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    with running_node() as node:
        answer = httpx.put(f"{node.url}/products-1", content=coded, headers=headers)
    assert answer.status_code == 413


def test_a_path_is_decoded_and_a_method_that_no_route_takes_is_refused() -> None:
    with running_node() as node:
        created = httpx.put(f"{node.url}/products%2D1")
        refused = httpx.head(f"{node.url}/products-1")
        unknown = httpx.get(f"{node.url}/a/b/c")
    assert created.json()["index"] == "products-1"
    assert refused.status_code == 400
    assert unknown.json()["error"] == "no handler found for uri [/a/b/c] and method [GET]"
