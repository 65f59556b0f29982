"""Mappings, documents, aliases, and the moment at which a search sees them."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.backing_services.elasticsearch.endpoints import _actions
from emulator.backing_services.elasticsearch.errors import ElasticsearchError
from emulator.backing_services.elasticsearch.index import Index, Indices
from emulator.backing_services.elasticsearch.members import minimum_should_match


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"properties": {"at": {"type": "geo_point"}}}, "No handler for type [geo_point] declared on field [at]"),
        ({"properties": {"at": {"type": "text", "copy_to": "all"}}}, "unknown parameter [copy_to]"),
        ({"properties": {"at": {"type": "text", "analyzer": "klingon"}}}, "analyzer [klingon]"),
        ({"properties": {"at": {"type": "scaled_float"}}}, "[scaling_factor]"),
        ({"runtime": {}}, "[runtime : {}]"),
        ({"dynamic": True}, "dynamic [True] is not supported by the fake"),
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
        ("float", [1, "x"]),
        ("keyword", {"a": 1}),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: str, value: Any) -> None:
    index = Index("shop", {"properties": {"one": {"type": kind}}})
    with pytest.raises(ElasticsearchError) as refused:
        index.put("a", {"one": value})
    assert refused.value.kind == "document_parsing_exception"
    assert "[one]" in refused.value.reason
    assert len(index) == 0


def test_a_field_that_is_not_mapped_is_refused() -> None:
    with pytest.raises(ElasticsearchError, match=r"dynamic introduction of \[name\]"):
        Index("shop", {"dynamic": "strict"}).put("a", {"name": "x"})


def test_a_search_sees_writes_after_a_refresh() -> None:
    index = Index("shop", {"properties": {"name": {"type": "text"}}})
    assert index.put("a", {"name": "x"}) == "created"
    assert index.put("a", {"name": None}) == "updated"
    assert len(index.snapshot.documents) == 0
    index.refresh()
    (document,) = index.snapshot.documents
    assert document.source == {"name": None}


@pytest.mark.parametrize("name", ["Shop", "_shop", "-shop", "a b", "a,b", "a#b", "x" * 256])
def test_a_bad_index_name_is_refused(name: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        Indices().create(name, {})
    assert refused.value.kind == "invalid_index_name_exception"


@pytest.mark.parametrize("member", ["settings", "aliases"])
def test_what_else_an_index_is_created_with_is_named(member: str) -> None:
    with pytest.raises(ElasticsearchError, match=rf"unknown key \[{member}\]"):
        Indices().create("shop", {member: {}})


def test_alias_changes_are_all_or_nothing() -> None:
    indices = Indices()
    for name in ("a", "b"):
        indices.create(name, {})
    add_a, add_b = ({"add": {"index": name, "alias": "shop"}} for name in ("a", "b"))
    indices.change_aliases([add_a])
    with pytest.raises(ElasticsearchError, match="no such index"):
        indices.change_aliases([add_b, {"remove_index": {"index": "missing"}}])
    assert indices.one("shop").name == "a"
    indices.change_aliases([add_b, {"remove_index": {"index": "a"}}])
    assert indices.one("shop").name == "b"
    with pytest.raises(ElasticsearchError) as gone:
        indices.one("a")
    assert gone.value.status == 404
    with pytest.raises(ElasticsearchError, match="exists with the same name"):
        indices.change_aliases([{"add": {"index": "b", "alias": "b"}}])
    with pytest.raises(ElasticsearchError, match="matches an alias"):
        indices.delete("shop")
    with pytest.raises(ElasticsearchError, match="already exists"):
        indices.create("shop", {})


@pytest.mark.parametrize(
    "actions",
    [
        None,
        [],
        [{"remove": {"index": "a", "alias": "shop"}}],
        [{"add": {"index": "a"}}],
        [{"add": {"index": "a", "alias": "shop", "filter": {}}}],
        [{"add": []}],
        ["add"],
    ],
)
def test_an_alias_action_that_is_not_known_is_refused(actions: Any) -> None:
    indices = Indices()
    indices.create("a", {})
    with pytest.raises(ElasticsearchError) as refused:
        indices.change_aliases(actions)
    assert refused.value.kind == "parsing_exception"


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ([{"upsert": {}}, {}], "Malformed action/metadata line [1]"),
        ([{"index": {"_id": "a"}}, {}, {"delete": {"_id": "a"}}, {}], "Malformed action/metadata line [3]"),
        ([{"index": {"_id": "a", "_routing": "x"}}, {}], "Malformed action/metadata line [1]"),
        ([{"index": {"_id": "a"}}], "no source line"),
        ([[], {}], "Malformed action/metadata line [1]"),
    ],
)
def test_a_malformed_bulk_is_refused_as_a_whole(lines: list[Any], named: str) -> None:
    with pytest.raises(ElasticsearchError) as refused:
        _actions(lines)
    assert refused.value.status == 400
    assert named in refused.value.reason


@pytest.mark.parametrize(
    ("rule", "optional", "required"), [(1, 5, 1), ("2<75%", 2, 2), ("2<75%", 3, 2), ("2<75%", 4, 3), ("2<75%", 5, 3)]
)
def test_the_minimum_that_should_match(rule: object, optional: int, required: int) -> None:
    assert minimum_should_match(rule, optional) == required
