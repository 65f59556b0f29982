"""Clauses match what Elasticsearch's would, and refuse by name what is not known."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.indices import Indices
from emulator.backing_services.elasticsearch.query import evaluate
from emulator.backing_services.elasticsearch.search import search
from emulator.backing_services.elasticsearch.snapshot import Snapshot

MAPPINGS = {
    "properties": {
        "name": {"type": "text", "analyzer": "english", "fields": {"plain": {"type": "text"}}},
        "brand": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
        "parts": {"type": "text", "analyzer": "english"},
        "tags": {"type": "keyword"},
        "price": {"type": "scaled_float", "scaling_factor": 100},
        "quality": {"type": "integer"},
        "made": {"type": "date"},
        "fresh": {"type": "boolean"},
    }
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "beet": {
        "name": "Beetroot Chips",
        "brand": "Tarangi",
        "tags": ["vegan"],
        "price": 85,
        "quality": 80,
        "fresh": True,
    },
    "milk": {"name": "Milk Chocolate", "brand": "Kokovelle", "parts": ["milk solids", "palm oil"], "price": 99.5},
    "dark": {"name": "Dark Chocolate", "brand": "Kokovelle", "parts": ["cocoa", "oil"], "tags": ["vegan", "jain"]},
    "oats": {"name": "Oat Biscuits", "brand": "Oatriya", "price": 110, "quality": 20, "made": "2026-11-01"},
}


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    index = Indices().create("shop", {"mappings": MAPPINGS})
    for identifier, source in DOCUMENTS.items():
        index.put(identifier, source)
    index.refresh()
    return index.snapshot()


def ids(snapshot: Snapshot, query: dict[str, Any]) -> list[str]:
    """Who matches, best first."""
    scores = evaluate(query, snapshot)
    return [snapshot.documents[row].identifier for row in sorted(scores, key=lambda row: (-scores[row], row))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"match_all": {}}, ["beet", "milk", "dark", "oats"]),
        ({"match_none": {}}, []),
        ({"match": {"name": "chocolates"}}, ["milk", "dark"]),
        ({"match": {"name": "the"}}, []),
        ({"match": {"name": {"query": "the", "zero_terms_query": "all"}}}, ["beet", "milk", "dark", "oats"]),
        ({"match": {"name": {"query": "dark biscuit", "operator": "and"}}}, []),
        ({"match": {"name": {"query": "dark sweet chocolate", "minimum_should_match": "2<75%"}}}, ["dark"]),
        ({"match": {"name.plain": "chocolates"}}, []),
        ({"match": {"name.plain": {"query": "choclate", "fuzziness": "AUTO"}}}, ["milk", "dark"]),
        ({"match": {"name.plain": {"query": "chcolaet", "fuzziness": 1}}}, []),
        ({"match": {"name.plain": {"query": "mlik", "fuzziness": 1}}}, ["milk"]),
        ({"match": {"name.plain": {"query": "silk", "fuzziness": 1, "prefix_length": 1}}}, []),
        ({"match": {"unmapped": "x"}}, []),
        ({"match": {"price": 85}}, ["beet"]),
        ({"match_phrase": {"parts": "palm oil"}}, ["milk"]),
        ({"match_phrase": {"parts": "solids palm"}}, []),
        ({"match_phrase": {"parts": "oil"}}, ["dark", "milk"]),
        ({"multi_match": {"query": "kokovelle dark", "fields": ["name^3", "brand"]}}, ["dark", "milk"]),
        ({"multi_match": {"query": "palm oil", "fields": ["parts"], "type": "phrase"}}, ["milk"]),
        ({"multi_match": {"query": "oat", "fields": ["name", "brand"], "type": "most_fields"}}, ["oats"]),
        ({"term": {"tags": "jain"}}, ["dark"]),
        ({"term": {"tags": {"value": "Jain"}}}, []),
        ({"term": {"brand.keyword": "Oatriya"}}, ["oats"]),
        ({"term": {"fresh": True}}, ["beet"]),
        ({"term": {"made": "2026-11-01"}}, ["oats"]),
        ({"terms": {"tags": ["vegan", "jain"]}}, ["beet", "dark"]),
        ({"terms": {"price": [110]}}, ["oats"]),
        ({"range": {"price": {"gte": 99.5, "lt": 110}}}, ["milk"]),
        ({"range": {"quality": {"gt": 20}}}, ["beet"]),
        ({"range": {"made": {"gte": "2026-10-31T23:00:00Z", "lte": "2026-11-02"}}}, ["oats"]),
        ({"exists": {"field": "tags"}}, ["beet", "dark"]),
        ({"ids": {"values": ["oats", "nobody"]}}, ["oats"]),
        ({"prefix": {"tags": "ve"}}, ["beet", "dark"]),
        ({"constant_score": {"filter": {"term": {"tags": "vegan"}}, "boost": 2}}, ["beet", "dark"]),
        ({"dis_max": {"queries": [{"term": {"tags": "jain"}}, {"match": {"name": "oat"}}]}}, ["oats", "dark"]),
        ({"bool": {}}, ["beet", "milk", "dark", "oats"]),
        ({"bool": {"must_not": {"exists": {"field": "price"}}}}, ["dark"]),
        (
            {"bool": {"should": [{"term": {"tags": "jain"}}], "filter": {"match_all": {}}}},
            ["dark", "beet", "milk", "oats"],
        ),
        ({"bool": {"should": [{"term": {"tags": "jain"}}, {"term": {"price": 110}}]}}, ["oats", "dark"]),
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
                    "query": {"exists": {"field": "brand"}},
                    "field_value_factor": {"field": "quality", "factor": 0.01, "modifier": "sqrt", "missing": 50},
                }
            },
            ["beet", "milk", "dark", "oats"],
        ),
        (
            {
                "function_score": {
                    "functions": [{"filter": {"term": {"tags": "jain"}}, "weight": 5}, {"weight": 2}],
                    "score_mode": "sum",
                    "boost_mode": "replace",
                    "min_score": 3,
                }
            },
            ["dark"],
        ),
    ],
)
def test_a_clause_matches(snapshot: Snapshot, query: dict[str, Any], expected: list[str]) -> None:
    assert ids(snapshot, query) == expected


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"fuzzy": {"name": "x"}}, "unknown query [fuzzy]"),
        ({"script_score": {}}, "unknown query [script_score]"),
        ({"bool": {"must": [{"nested": {}}]}}, "unknown query [nested]"),
        ({"bool": {"filters": []}}, "[bool] query does not support [filters]"),
        ({"match": {"name": {"query": "x", "analyzer": "simple"}}}, "[match] query does not support [analyzer]"),
        ({"match": {"name": "x", "brand": "y"}}, "[match] query doesn't support multiple fields"),
        ({"multi_match": {"query": "x", "fields": ["*"]}}, "[*]"),
        ({"multi_match": {"query": "x", "fields": ["name"], "type": "cross_fields"}}, "type [cross_fields]"),
        ({"match": {"name": {"query": "x", "fuzziness": 3}}}, "Valid edit distances are [0, 1, 2]"),
        ({"range": {"price": {"from": 1}}}, "[range] query does not support [from]"),
        ({"range": {"price": 5}}, "[range] query malformed"),
        ({"term": {"price": "cheap"}}, 'For input string: "cheap"'),
        ({"terms": {"tags": "vegan"}}, "[terms] query requires"),
        ({"function_score": {"gauss": {}}}, "[function_score] query does not support [gauss]"),
        ({"function_score": {"field_value_factor": {"field": "quality"}}}, "Missing value for field [quality]"),
        ({"function_score": {"field_value_factor": {"field": "brand"}}}, "[brand]"),
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
        ({"highlight": {}}, "[highlight]"),
        ({"size": -1}, "[size]"),
        ({"size": 10_000, "from": 1}, "Result window is too large"),
        ({"sort": [{"name": "asc"}]}, "Fielddata is disabled on [name]"),
        ({"sort": ["nowhere"]}, "No mapping found for [nowhere]"),
        ({"sort": [{"price": {"mode": "avg"}}]}, "[mode]"),
    ],
)
def test_a_search_refuses_by_name(snapshot: Snapshot, body: Any, named: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        search([snapshot], body)
    assert refused.value.status == 400
    assert named in refused.value.reason


def test_missing_values_sort_last_either_way(snapshot: Snapshot) -> None:
    def order(direction: str) -> list[str]:
        hits = search([snapshot], {"sort": [{"price": direction}]})["hits"]["hits"]
        return [hit["_id"] for hit in hits]

    assert order("asc") == ["beet", "milk", "oats", "dark"]
    assert order("desc") == ["oats", "milk", "beet", "dark"]


def test_an_exact_word_beats_a_similar_one(snapshot: Snapshot) -> None:
    index = Indices().create("near", {"mappings": MAPPINGS})
    for identifier, name in {"a": "pale ale", "b": "palm leaf", "c": "palm tree", "d": "palm nut"}.items():
        index.put(identifier, {"name": name})
    index.refresh()
    found = ids(index.snapshot(), {"match": {"name.plain": {"query": "palm", "fuzziness": "AUTO"}}})
    assert found[-1] == "a"
    assert len(found) == 4


def test_the_total_is_counted_as_far_as_asked(snapshot: Snapshot) -> None:
    assert search([snapshot], {"track_total_hits": 2})["hits"]["total"] == {"value": 2, "relation": "gte"}
    assert search([snapshot], {"track_total_hits": True})["hits"]["total"] == {"value": 4, "relation": "eq"}
    assert "total" not in search([snapshot], {"track_total_hits": False})["hits"]


@pytest.mark.parametrize(
    "body",
    [
        {"track_total_hits": "x"},
        {"min_score": "a"},
        {"sort": [{"price": 5}]},
        {"sort": [{"price": None}]},
        {"sort": [None]},
        {"_source": [1]},
        {"_source": {"includes": 5}},
        {"size": 1.5},
        {"query": {"match": {"name": {"query": "dark", "fuzziness": 1, "prefix_length": "inf"}}}},
        {"query": {"match": {"name": {"query": "dark", "fuzziness": 1, "max_expansions": float("nan")}}}},
        {"query": {"match": {"name": {"query": "dark", "fuzziness": float("inf")}}}},
        {"query": {"match": {"name": {"query": "dark", "fuzziness": "AUTO:"}}}},
        {"query": {"match_phrase": {"name": {"query": "dark chocolate", "slop": -1}}}},
        {"query": {"multi_match": {"query": "x", "fields": ["name"], "type": []}}},
        {"query": {"multi_match": {"query": "x", "fields": ["name^much"]}}},
        {"query": {"term": {"price": 10**400}}},
        {"query": {"term": {"price": None}}},
        {"query": {"range": {"made": {"gte": "now"}}}},
        {"query": {"function_score": {"functions": [5]}}},
        {"query": {"function_score": {"field_value_factor": 5}}},
        {"query": {"bool": {"must": 5}}},
        {"query": {"bool": None}},
    ],
)
def test_a_value_that_makes_no_sense_is_refused(snapshot: Snapshot, body: Any) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        search([snapshot], body)
    assert refused.value.status == 400


def test_a_query_may_not_be_nested_without_end(snapshot: Snapshot) -> None:
    query: dict[str, Any] = {"match_all": {}}
    for _ in range(3000):
        query = {"bool": {"must": query}}
    with pytest.raises(ElasticsearchError, match="nested depth"):
        search([snapshot], {"query": query})
