"""The products index: its mapping, and the command that fills it: `python -m shopping_bot.search.index --help`.

Products go into a new index that no search sees; the alias moves over in one step when it is complete.
Only the standard library is used, so that any Python fills an index.
Source: Elasticsearch 8.19 reference, "Aliases", "Bulk API", "REST API compatibility".
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ALIAS: Final = "products"
_SECONDS: Final = 30.0
_BULK_PRODUCTS: Final = 500
_MEDIA_TYPE: Final = "application/vnd.elasticsearch+{}; compatible-with=8"

_ENGLISH: Final = {"type": "text", "analyzer": "english"}
_PLAIN: Final = {"plain": {"type": "text", "analyzer": "standard"}}
_EXACT: Final = {"keyword": {"type": "keyword"}}
MAPPING: Final[Mapping[str, Any]] = {
    "dynamic": "strict",
    "properties": {
        "sku": {"type": "keyword", "fields": {"words": {"type": "text", "analyzer": "standard"}}},
        # Misspelt words are compared with words, not with stems.
        "name": _ENGLISH | {"fields": _PLAIN},
        # Not stemmed: a brand is a name.
        "brand": {"type": "text", "analyzer": "standard", "fields": _EXACT},
        "category": {"type": "keyword", "fields": {"words": _ENGLISH} | _PLAIN},
        "description": _ENGLISH,
        "price": {"type": "scaled_float", "scaling_factor": 100},
        "pack_size": {"type": "text", "analyzer": "standard"},
        "dietary_terms": {"type": "keyword"},
        "ingredients": _ENGLISH | {"fields": _EXACT},
        "quality_score": {"type": "integer"},
        "rating": {"type": "float"},
    },
}

Report = Callable[[str], None]


class SearchIndexError(Exception):
    """The index cannot be filled; the message is one sentence that says what to do."""


def read_catalog(path: Path) -> list[Mapping[str, Any]]:
    """Return the products in the JSON file `path`. Raises SearchIndexError."""
    try:
        products = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SearchIndexError(f"The catalogue {path} cannot be read ({error}).") from error
    if not isinstance(products, list):
        raise SearchIndexError(f"The catalogue {path} must be a JSON list of products.")
    return products


def document(product: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is indexed of a product: all but its stock, which only the inventory knows.

    Raises SearchIndexError for one without what a search needs.
    """
    try:
        kept = {name: product[name] for name in MAPPING["properties"]}
        # Both numbers stand in the catalogue as exact texts; a search filters and sorts by them.
        return kept | {"price": float(product["price"]), "rating": float(product["rating"])}
    except (KeyError, TypeError, ValueError) as error:
        raise SearchIndexError(f"A product of the catalogue lacks {error}: {product!r:.80}.") from error


def fill(
    url: str, catalog: Path, *, alias: str = ALIAS, api_key: str | None = None, report: Report = lambda _: None
) -> str:
    """Put every product of `catalog` behind `alias` and return the name of the new index.

    Searches see the old products until all the new ones are there. What the alias pointed to before is deleted.
    Blocks; `report` gets a line for each step. Raises SearchIndexError, and then leaves everything as it was.
    """
    documents = [document(product) for product in read_catalog(catalog)]
    node = _Node(url, api_key)
    version = node.request("GET", "/").get("version", {}).get("number", "unknown")
    report(f"Elasticsearch {version} at {node.shown_url}")
    index = f"{alias}-{datetime.now(UTC):%Y%m%d%H%M%S%f}"
    node.request("PUT", f"/{index}", {"mappings": MAPPING})
    report(f"Created {index}")
    try:
        _load(node, index, documents, report)
        old = _swap(node, alias, index)
    except BaseException:
        with contextlib.suppress(SearchIndexError):
            node.request("DELETE", f"/{index}")
        raise
    report(f"{alias} now means {index}" + (f"; deleted {', '.join(old)}" if old else ""))
    return index


def _load(node: _Node, index: str, documents: Sequence[Mapping[str, Any]], report: Report) -> None:
    done = 0
    for batch in _batches(documents):
        lines = [line for one in batch for line in ({"index": {"_id": one["sku"]}}, one)]
        answer = node.request("POST", f"/{index}/_bulk", lines)
        if answer.get("errors"):
            refused = next(item["index"] for item in answer["items"] if "error" in item["index"])
            raise SearchIndexError(f"Elasticsearch refused the product {refused['_id']}: {refused['error']['reason']}")
        done += len(batch)
        report(f"Indexed {done} of {len(documents)} products")
    node.request("POST", f"/{index}/_refresh")
    counted = node.request("GET", f"/{index}/_count")["count"]
    distinct = len({one["sku"] for one in documents})
    if counted != distinct:
        raise SearchIndexError(f"{index} holds {counted} products instead of {distinct}: fill it again.")


def _swap(node: _Node, alias: str, index: str) -> list[str]:
    """Point `alias` to `index` alone and delete what it pointed to, in one step; return what was deleted."""
    old = sorted(node.request("GET", f"/_alias/{alias}", missing={}))
    removals = [{"remove_index": {"index": name}} for name in old]
    node.request("POST", "/_aliases", {"actions": [{"add": {"index": index, "alias": alias}}, *removals]})
    return old


def _batches(documents: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    for start in range(0, len(documents), _BULK_PRODUCTS):
        yield documents[start : start + _BULK_PRODUCTS]


class _Node:
    """An Elasticsearch as seen through urllib: setting up needs no client library."""

    def __init__(self, url: str, api_key: str | None) -> None:
        if not url.startswith(("http://", "https://")):
            raise SearchIndexError(f"ES_URL={url} is not an address: it begins with http:// or https://.")
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise SearchIndexError(
                "ES_URL holds a user and a password: leave them out, and put an API key of that user into ES_API_KEY."
            )
        self._url = self.shown_url = url.rstrip("/")
        self._headers = {"Accept": _MEDIA_TYPE.format("json")}
        if api_key:
            self._headers["Authorization"] = f"ApiKey {api_key}"

    def request(self, method: str, path: str, body: Any = None, *, missing: Any = None) -> Any:
        """Return the answer's JSON, or `missing` when there is one and the answer is 404; a list is sent as NDJSON."""
        headers, content = dict(self._headers), None
        if isinstance(body, list):
            headers["Content-Type"] = _MEDIA_TYPE.format("x-ndjson")
            content = "".join(f"{json.dumps(line)}\n" for line in body).encode()
        elif body is not None:
            headers["Content-Type"] = _MEDIA_TYPE.format("json")
            content = json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, content, headers, method=method)  # noqa: S310 (http, above)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (the same)
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and missing is not None:
                    return missing
                raise self._error(f"{method} {path}", error) from None
        except (OSError, ValueError) as error:
            raise SearchIndexError(
                f"No Elasticsearch answers at {self.shown_url} ({getattr(error, 'reason', error)}): check ES_URL."
            ) from error

    def _error(self, request: str, error: urllib.error.HTTPError) -> SearchIndexError:
        if error.code in {401, 403}:
            return SearchIndexError(
                f"Elasticsearch at {self.shown_url} refuses the API key ({error.code}): give one that may manage "
                "and write the index, in the variable that --api-key-env names."
            )
        try:
            reason = json.load(error)["error"]["reason"]
        except (ValueError, KeyError, TypeError):
            reason = error.reason
        return SearchIndexError(f"Elasticsearch at {self.shown_url} answers {error.code} to {request}: {reason}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the Elasticsearch that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m shopping_bot.search.index",
        description="Fill an Elasticsearch with the products of a catalogue.",
    )
    parser.add_argument("--url", required=True, help="where Elasticsearch answers, for example https://es.example:9200")
    parser.add_argument("--alias", default=ALIAS, help=f"the name that searches use (default: {ALIAS})")
    parser.add_argument("--api-key-env", metavar="NAME", help="the environment variable that holds the API key")
    parser.add_argument("--catalog", type=Path, required=True, help="the products, a JSON list")
    parsed = parser.parse_args(arguments)
    try:
        fill(parsed.url, parsed.catalog, alias=parsed.alias, api_key=_api_key(parsed.api_key_env), report=_show)
    except SearchIndexError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _api_key(variable: str | None) -> str | None:
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise SearchIndexError(f"The variable {variable} holds no API key: export it, or leave --api-key-env out.")
    return os.environ[variable]


if __name__ == "__main__":
    sys.exit(main())
