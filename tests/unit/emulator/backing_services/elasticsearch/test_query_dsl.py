"""Clauses match what Elasticsearch's would, and refuse by name what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.index import Index
from emulator.backing_services.elasticsearch.query import evaluate
from emulator.backing_services.elasticsearch.search import count, search
from emulator.backing_services.elasticsearch.snapshot import Snapshot

MAPPINGS = {
    "dynamic": "strict",
    "properties": {
        "name": {"type": "text", "analyzer": "english", "fields": {"plain": {"type": "text"}}},
        "brand": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
        "parts": {"type": "text", "analyzer": "english"},
        "tags": {"type": "keyword"},
        "price": {"type": "scaled_float", "scaling_factor": 100},
        "quality": {"type": "integer"},
    },
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "beet": {"name": "Beetroot Chips", "brand": "Tarangi", "tags": ["vegan"], "price": 85, "quality": 80},
    "milk": {"name": "Milk Chocolate", "brand": "Kokovelle", "parts": ["milk solids", "palm oil"], "price": 99.5},
    "dark": {"name": "Dark Chocolate", "brand": "Kokovelle", "parts": ["cocoa", "oil"], "tags": ["vegan", "jain"]},
    "oats": {"name": "Oat Biscuits", "brand": "Oatriya", "price": 110, "quality": 20},
}


@pytest.fixture(scope="module")
def index() -> Index:
    index = Index("shop", MAPPINGS)
    for identifier, source in DOCUMENTS.items():
        index.put(identifier, source)
    index.refresh()
    return index


@pytest.fixture(scope="module")
def snapshot(index: Index) -> Snapshot:
    return index.snapshot


def ids(snapshot: Snapshot, query: dict[str, Any]) -> list[str]:
    """Who matches, best first."""
    scores = evaluate(query, snapshot)
    return [snapshot.documents[row].identifier for row in sorted(scores, key=lambda row: (-scores[row], row))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"match_all": {}}, ["beet", "milk", "dark", "oats"]),
        ({"match": {"name": "chocolates"}}, ["milk", "dark"]),
        ({"match": {"name": "the"}}, []),
        ({"match": {"name": {"query": "dark biscuit", "operator": "and"}}}, []),
        ({"match": {"name.plain": "chocolates"}}, []),
        ({"match": {"name.plain": {"query": "choclate", "fuzziness": "AUTO"}}}, ["milk", "dark"]),
        ({"match": {"name.plain": {"query": "chcolaet", "fuzziness": "AUTO:4,9"}}}, []),
        ({"match": {"name.plain": {"query": "mlik", "fuzziness": "AUTO:4,8"}}}, ["milk"]),
        ({"match": {"name.plain": {"query": "silk", "fuzziness": "AUTO:4,8", "prefix_length": 1}}}, []),
        ({"match": {"unmapped": "x"}}, []),
        ({"match_phrase": {"parts": "palm oil"}}, ["milk"]),
        ({"match_phrase": {"parts": "solids palm"}}, []),
        ({"match_phrase": {"parts": "oil"}}, ["dark", "milk"]),
        ({"multi_match": {"query": "kokovelle dark", "fields": ["name^3", "brand"]}}, ["dark", "milk"]),
        ({"multi_match": {"query": "palm oil", "fields": ["parts"], "type": "phrase"}}, ["milk"]),
        ({"term": {"tags": "jain"}}, ["dark"]),
        ({"term": {"tags": {"value": "Jain"}}}, []),
        ({"term": {"brand.keyword": "Oatriya"}}, ["oats"]),
        ({"terms": {"tags": ["vegan", "jain"]}}, ["beet", "dark"]),
        ({"range": {"price": {"gte": 99.5, "lte": 100}}}, ["milk"]),
        ({"range": {"quality": {"gte": 20.5}}}, ["beet"]),
        ({"dis_max": {"queries": [{"term": {"tags": "jain"}}, {"match": {"name": "oat"}}]}}, ["oats", "dark"]),
        ({"bool": {}}, ["beet", "milk", "dark", "oats"]),
        ({"bool": {"must_not": {"term": {"tags": "vegan"}}}}, ["milk", "oats"]),
        (
            {"bool": {"should": [{"term": {"tags": "jain"}}], "filter": {"match_all": {}}}},
            ["dark", "beet", "milk", "oats"],
        ),
        ({"bool": {"should": [{"term": {"tags": "jain"}}, {"match": {"name": "oat"}}]}}, ["oats", "dark"]),
        (
            {"bool": {"should": [{"term": {"tags": "jain"}}, {"term": {"tags": "vegan"}}], "minimum_should_match": 2}},
            ["dark"],
        ),
        (
            {
                "bool": {
                    "must": [{"match": {"name": "chocolate"}}],
                    "filter": [{"range": {"price": {"lte": 100}}}],
                    "must_not": [{"match_phrase": {"parts": "palm oil"}}],
                }
            },
            [],
        ),
        (
            {
                "function_score": {
                    "query": {"match_all": {}},
                    "field_value_factor": {"field": "quality", "factor": 0.01, "modifier": "sqrt", "missing": 50},
                }
            },
            ["beet", "milk", "dark", "oats"],
        ),
    ],
)
def test_a_clause_matches(snapshot: Snapshot, query: dict[str, Any], expected: list[str]) -> None:
    assert ids(snapshot, query) == expected


def factor(**changes: Any) -> dict[str, Any]:
    """Return a function_score whose factor is right but for the changes."""
    given = {"field": "quality", "modifier": "sqrt", "missing": 50, **changes}
    given = {name: value for name, value in given.items() if value is not None}
    return {"function_score": {"query": {"match_all": {}}, "field_value_factor": given}}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"fuzzy": {"name": "x"}}, "unknown query [fuzzy]"),
        ({"bool": {"must": [{"nested": {}}]}}, "unknown query [nested]"),
        ({"bool": {"filters": []}}, "[bool] query does not support [filters]"),
        ({"bool": {"must": "x"}}, "[bool] query does not support a value for [must]"),
        ({"bool": {"should": [], "minimum_should_match": "-25%"}}, "[minimum_should_match]"),
        ({"match_all": {"boost": 2}}, "[match_all] query does not support [boost]"),
        ({"dis_max": {}}, "[dis_max] requires 'queries'"),
        ({"match": {"name": {"query": "x", "analyzer": "simple"}}}, "[match] query does not support [analyzer]"),
        ({"match": {"name": "x", "brand": "y"}}, "[match] query doesn't support multiple fields"),
        ({"match": {"name": {"query": 7}}}, "[match] unknown token [int]"),
        ({"match": {"name": {"query": "x", "operator": "xor"}}}, "operator needs to be either or"),
        ({"match": {"price": "85"}}, "[match] query does not support field [price] of type [scaled_float]"),
        ({"match": {"name": {"query": "x", "fuzziness": 3}}}, "failed to parse fuzziness [3]"),
        ({"match": {"name": {"query": "x", "fuzziness": "AUTO:1,2", "prefix_length": 0.5}}}, "[prefix_length]"),
        ({"multi_match": {"query": "x", "fields": ["*"]}}, "[*]"),
        ({"multi_match": {"query": "x", "fields": ["name"], "type": "cross_fields"}}, "type [cross_fields]"),
        ({"multi_match": {"query": "x", "fields": "name"}}, "[multi_match] requires"),
        ({"multi_match": {"query": "x", "fields": ["name^x"]}}, "[x] is not a number"),
        ({"multi_match": {"query": "chips", "fields": ["name"], "boost": -1}}, "negative [boost]"),
        ({"range": {"price": {"gt": 1}}}, "[range] query does not support [gt]"),
        ({"range": {"price": {"gte": "cheap"}}}, "[cheap] is not a number"),
        ({"range": {"price": 5}}, "[range] query malformed"),
        ({"range": {"tags": {"gte": 5}}}, "[range] query does not support field [tags]"),
        ({"term": {"price": 85}}, "[term] query does not support field [price]"),
        ({"terms": {"tags": "vegan"}}, "[terms] query requires"),
        ({"function_score": {"gauss": {}}}, "[function_score] query does not support [gauss]"),
        ({"function_score": {"query": {"match_all": {}}}}, "[function_score] requires"),
        (factor(missing=None), "Missing value for field [quality]"),
        (factor(field="brand"), "[brand]"),
        (factor(modifier="log"), "modifier [log]"),
        (factor(factor=-1), "must not produce negative scores"),
        ({"term": {"tags": "x"}, "match": {"name": "y"}}, "[term] malformed query"),
        ({}, "empty clause"),
        ([], "malformed"),
    ],
)
def test_what_is_not_known_is_named(snapshot: Snapshot, query: Any, named: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        evaluate(query, snapshot)
    assert refused.value.status == 400
    assert named in refused.value.reason


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"aggs": {}}, "[aggs]"),
        ({"sort": ["price"]}, "[sort]"),
        ({"from": 10}, "[from]"),
        ({"size": -1}, "[size]"),
        ({"size": 10_001}, "Result window is too large"),
        ({"_source": {"includes": ["name"]}}, "[_source]"),
        ({"track_total_hits": 5}, "[track_total_hits]"),
        ([], "START_OBJECT"),
    ],
)
def test_what_is_not_known_of_a_search_is_named(index: Index, body: Any, named: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        search(index, body)
    assert named in refused.value.reason


def test_a_query_without_an_end_is_refused(index: Index) -> None:
    query: dict[str, Any] = {"match_all": {}}
    for _ in range(5000):
        query = {"bool": {"must": [query]}}
    with pytest.raises(ElasticsearchError, match="nested depth"):
        search(index, {"query": query})


def test_a_page_is_cut_and_trimmed(index: Index) -> None:
    query = {"term": {"tags": "vegan"}}
    answer = search(index, {"query": query, "size": 1, "_source": ["name"], "track_total_hits": True})
    assert answer["hits"]["total"] == {"value": 2, "relation": "eq"}
    (hit,) = answer["hits"]["hits"]
    assert (hit["_id"], hit["_source"]) == ("beet", {"name": "Beetroot Chips"})
    assert answer["hits"]["max_score"] == hit["_score"] > 0
    assert (answer["timed_out"], answer["_shards"]["failed"]) == (False, 0)
    assert search(index, {"query": {"term": {"tags": "none"}}})["hits"]["max_score"] is None
    assert count(index, {"query": query})["count"] == 2
    assert count(index, None)["count"] == 4
