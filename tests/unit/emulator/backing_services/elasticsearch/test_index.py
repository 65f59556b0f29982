"""Mappings, documents and the moment at which a search sees them."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.backing_services.elasticsearch.bulk import bulk
from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.index import Index
from emulator.backing_services.elasticsearch.indices import Indices
from emulator.backing_services.elasticsearch.parameters import minimum_should_match


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"properties": {"at": {"type": "geo_point"}}}, "No handler for type [geo_point] declared on field [at]"),
        ({"properties": {"at": {"type": "text", "copy_to": "all"}}}, "unknown parameter [copy_to]"),
        ({"properties": {"at": {"type": "text", "analyzer": "klingon"}}}, "analyzer [klingon]"),
        ({"properties": {"at": {"type": "scaled_float"}}}, "[scaling_factor]"),
        ({"runtime": {}}, "[runtime : {}]"),
        ({"dynamic": "runtime"}, "[runtime]"),
    ],
)
def test_a_mapping_that_is_not_known_is_refused(mapping: dict[str, Any], named: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        Indices().create("shop", {"mappings": mapping})
    assert (refused.value.status, refused.value.kind) == (400, "mapper_parsing_exception")
    assert named in refused.value.reason


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "many"),
        ("integer", 2**31),
        ("float", True),
        ("float", "NaN"),
        ("boolean", "yes"),
        ("date", "tomorrow"),
        ("keyword", {"a": 1}),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, value: Any) -> None:
    index = Index("shop", {"properties": {"one": {"type": kind}}, "dynamic": "strict"}, {})
    with pytest.raises(ElasticsearchError) as refused:
        index.put("a", {"one": value})
    assert refused.value.kind in {"document_parsing_exception", "strict_dynamic_mapping_exception"}
    assert index.get("a") is None


def test_an_unmapped_field_is_mapped_ignored_or_refused() -> None:
    grows = Index("grows", {}, {})
    grows.put("a", {"name": "x", "size": 1, "price": 1.5, "ok": True, "of": {"whom": "y"}, "none": None, "list": []})
    assert {name: field.type for name, field in grows.mapping.fields.items()} == {
        "name": "text",
        "name.keyword": "keyword",
        "size": "long",
        "price": "float",
        "ok": "boolean",
        "of.whom": "text",
        "of.whom.keyword": "keyword",
    }
    ignores = Index("ignores", {"dynamic": False}, {})
    ignores.put("a", {"name": "x"})
    assert ignores.mapping.fields == {}
    strict = Index("strict", {"dynamic": "strict"}, {})
    with pytest.raises(ElasticsearchError, match=r"dynamic introduction of \[name\]"):
        strict.put("a", {"name": "x"})


def test_a_search_sees_writes_after_a_second() -> None:
    now = [0.0]
    index = Index("shop", {}, {}, clock=lambda: now[0])
    index.put("a", {"name": "x"})
    assert not index.snapshot().documents
    now[0] = 1.0
    assert [document.identifier for document in index.snapshot().documents] == ["a"]
    manual = Index("manual", {}, {"index": {"refresh_interval": -1}}, clock=lambda: now[0])
    manual.put("a", {"name": "x"})
    now[0] = 9.0
    assert not manual.snapshot().documents


def test_updates_merge_and_upsert() -> None:
    index = Index("shop", {}, {})
    index.put("a", {"name": "x", "of": {"one": 1}})
    index.update("a", {"doc": {"of": {"two": 2}}})
    document = index.get("a")
    assert document is not None
    assert document.source == {"name": "x", "of": {"one": 1, "two": 2}}
    assert index.update("b", {"doc": {"name": "y"}, "doc_as_upsert": True}).result == "created"
    assert index.update("c", {"doc": {}, "upsert": {"name": "z"}}).result == "created"
    with pytest.raises(ElasticsearchError, match="script"):
        index.update("a", {"script": "x"})


@pytest.mark.parametrize("name", ["", "Shop", "_shop", "-shop", "a b", "a,b", "a#b", "x" * 256])
def test_a_bad_index_name_is_refused(name: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        Indices().create(name, {})
    assert refused.value.kind == "invalid_index_name_exception"


def test_alias_changes_are_all_or_nothing() -> None:
    indices = Indices()
    indices.create("a", {"aliases": {"shop": {}}})
    indices.create("b", {})
    actions = [{"add": {"index": "b", "alias": "shop"}}, {"remove": {"index": "b", "alias": "missing"}}]
    with pytest.raises(ElasticsearchError, match="missing"):
        indices.change_aliases({"actions": actions})
    assert [index.name for index in indices.resolve("shop")] == ["a"]
    indices.change_aliases({"actions": [actions[0], {"remove_index": {"index": "a"}}]})
    assert [index.name for index in indices.resolve("shop")] == ["b"]
    with pytest.raises(ElasticsearchError) as gone:
        indices.resolve("a")
    assert gone.value.status == 404
    with pytest.raises(ElasticsearchError, match="exists with the same name"):
        indices.change_aliases({"actions": [{"add": {"index": "b", "alias": "b"}}]})


def test_patterns_name_indices() -> None:
    indices = Indices()
    indices.create("products-1", {"aliases": {"products": {}}})
    indices.create("orders", {})
    assert [index.name for index in indices.resolve("products*")] == ["products-1"]
    assert {index.name for index in indices.resolve("_all")} == {"products-1", "orders"}
    assert [index.name for index in indices.resolve("orders,products")] == ["orders", "products-1"]
    with pytest.raises(ElasticsearchError, match="Wildcard"):
        indices.delete("*")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "body is required"),
        (b'{"index":{}}\n{"a":1}', "terminated by a newline"),
        (b'{"upsert":{}}\n{}\n', "Malformed action/metadata line [1]"),
        (b'{"index":{"_routing":"x"}}\n{}\n', "unknown parameter [_routing]"),
        (b'{"index":{}}\n', "no source line"),
        (b'{"index":{}}\n{"a":\n', "not JSON"),
        (b'{"index":{}}\n{"a":"\\ud800"}\n', "not JSON"),
        (b"[]\n", "Malformed action/metadata line [1]"),
    ],
)
def test_a_malformed_bulk_changes_nothing(content: bytes, named: str) -> None:
    indices = Indices()
    with pytest.raises(ElasticsearchError) as refused:
        bulk(indices, "shop", content, refresh=True)
    assert refused.value.status == 400
    assert named in refused.value.reason
    assert indices.resolve("_all") == []


@pytest.mark.parametrize(
    ("rule", "optional", "required"),
    [
        (2, 5, 2),
        (-1, 5, 4),
        ("75%", 4, 3),
        ("75%", 3, 2),
        ("-25%", 4, 3),
        ("-25%", 3, 3),
        ("2<75%", 2, 2),
        ("2<75%", 3, 2),
        ("2<-25% 9<-3", 2, 2),
        ("2<-25% 9<-3", 8, 6),
        ("2<-25% 9<-3", 10, 7),
        (-9, 5, 0),
    ],
)
def test_the_minimum_that_should_match(rule: object, optional: int, required: int) -> None:
    assert minimum_should_match(rule, optional) == required
