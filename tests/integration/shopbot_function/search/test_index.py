"""The catalogue gets into the index as a whole or not at all."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shopping_bot.search.index import ALIAS, SearchIndexError, fill, main, read_catalog

from emulator.backing_services.elasticsearch import Elasticsearch
from emulator.processes.ports import free_port
from sam_template.repository import CATALOG
from tests.integration.emulator.backing_services.elasticsearch.node import running_node

WITH_CATALOG = ("--catalog", str(CATALOG))


@pytest.fixture
def node() -> Iterator[Elasticsearch]:
    with running_node() as node:
        yield node


def get(node: Elasticsearch, path: str) -> Any:
    with urllib.request.urlopen(node.url + path) as answer:
        return json.load(answer)


def names(node: Elasticsearch) -> list[str]:
    return [index["index"] for index in get(node, "/_cat/indices?format=json")]


def test_the_alias_moves_to_the_new_index_and_the_old_one_goes(node: Elasticsearch) -> None:
    lines: list[str] = []
    first = fill(node.url, CATALOG, report=lines.append)
    assert get(node, f"/{ALIAS}/_count")["count"] == len(read_catalog(CATALOG))
    second = fill(node.url, CATALOG, report=lines.append)
    assert names(node) == [second] != [first]
    assert list(get(node, f"/_alias/{ALIAS}")) == [second]
    assert lines[0].startswith("Elasticsearch 8.19.3 at http://127.0.0.1:")
    assert lines[2] == "Indexed 80 of 80 products"
    assert lines[-1] == f"{ALIAS} now means {second}; deleted {first}"


def test_a_product_that_is_refused_changes_nothing(node: Elasticsearch, tmp_path: Path) -> None:
    index = fill(node.url, CATALOG)
    wrong = tmp_path / "catalog.json"
    wrong.write_text(json.dumps([{**read_catalog(CATALOG)[0], "quality_score": "high"}]))
    with pytest.raises(SearchIndexError, match=r"refused the product CHIPS-BEET-80G: .*\[quality_score\]"):
        fill(node.url, wrong)
    assert names(node) == [index]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("{", "cannot be read"), ("{}", "must be a JSON list"), ('[{"sku": "A"}]', "lacks 'name'")],
)
def test_a_wrong_catalogue_is_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    wrong = tmp_path / "catalog.json"
    wrong.write_text(content)
    with pytest.raises(SearchIndexError, match=sentence):
        fill("http://127.0.0.1:9", wrong)


def test_two_products_of_one_sku_are_one(node: Elasticsearch, tmp_path: Path) -> None:
    twice = tmp_path / "catalog.json"
    twice.write_text(json.dumps([read_catalog(CATALOG)[0]] * 2))
    fill(node.url, twice)
    assert get(node, f"/{ALIAS}/_count")["count"] == 1


def test_an_index_in_the_place_of_the_alias_is_left_alone(node: Elasticsearch) -> None:
    node.indices.create(ALIAS, {})
    with pytest.raises(SearchIndexError, match="exists with the same name as the alias"):
        fill(node.url, CATALOG)
    assert names(node) == [ALIAS]


def test_the_command_fills_and_shows_its_steps(node: Elasticsearch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", node.url, *WITH_CATALOG, "--alias", "shop"]) == 0
    assert "shop now means shop-" in capsys.readouterr().out


def test_the_command_takes_the_key_from_a_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "a2V5")
    with running_node(api_key="a2V5") as node:
        assert main(["--url", node.url, *WITH_CATALOG, "--api-key-env", "THE_KEY"]) == 0
        assert main(["--url", node.url, *WITH_CATALOG]) == 1
        assert "refuses the API key (401)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "127.0.0.1:9200"], "ES_URL=127.0.0.1:9200 is not an address"),
        (["--url", "http://127.0.0.1:1"], "No Elasticsearch answers at http://127.0.0.1:1 "),
        (["--url", "http://user:secret@127.0.0.1:1"], "ES_URL holds a user and a password: leave them out"),
        (["--url", "http://user:s@cret@127.0.0.1:1"], "ES_URL holds a user and a password: leave them out"),
        (["--url", "http://x", "--api-key-env", "NOT_SET_ANYWHERE"], "The variable NOT_SET_ANYWHERE holds no API key"),
    ],
)
def test_the_command_fails_in_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main([*arguments, *WITH_CATALOG]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert "secret" not in said


def test_another_server_is_no_elasticsearch() -> None:
    with pytest.raises(SearchIndexError, match="No Elasticsearch answers"):
        fill(f"http://127.0.0.1:{free_port()}", CATALOG)
