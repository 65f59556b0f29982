"""The products index in Elasticsearch, over its REST API.

Without the official client: its import costs more than the rest of a search (docs/decisions has the figures), and what
it does here is one POST. Source: Elasticsearch 8.19 reference, "Search API" and "REST API compatibility".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lambda_http.json_secret import JsonSecret, SecretError
from shopping_bot.backends import BackingServiceError, http
from shopping_bot.backends.http import Response
from shopping_bot.deadline import Deadline

BACKING_SERVICE = "elasticsearch"
KEY = "ES_API_KEY"
SEARCH_TIMEOUT_SECONDS = 5.0
_MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8"


@dataclass(frozen=True)
class Found:
    """The best products as they are indexed, best first, and how many match in all.

    `is_partial` tells that not every shard answered in time, so that products may be missing.
    """

    products: list[dict[str, Any]]
    total: int
    is_partial: bool = False


class ProductIndex:
    """The index or alias `index` at `url`. Without an ES_API_KEY in the secret no key is sent."""

    def __init__(self, url: str, index: str, secrets: JsonSecret) -> None:
        self._url = f"{url.rstrip('/')}/{quote(index, safe='')}"
        self._index = index
        self._holds_password = "@" in url.partition("://")[2].partition("/")[0]
        self._secrets = secrets

    def find(self, body: Mapping[str, Any], *, deadline: Deadline) -> Found:
        """Return what the search `body` finds.

        Raises BackingServiceError when Elasticsearch does not answer, or not usably, and SecretError when it refuses
        the key.
        """
        response = self._request("POST", "_search", body, deadline)
        try:
            hits = response.body["hits"]
            products = [hit["_source"] for hit in hits["hits"] if isinstance(hit["_source"].get("sku"), str)]
            return Found(products, int(hits["total"]["value"]), _is_partial(response.body))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BackingServiceError(BACKING_SERVICE, "the answer is not that of a search") from error

    def reach(self, timeout_seconds: float) -> None:
        """Return when Elasticsearch answers, takes the key and has the index. Raises what `find` raises."""
        self._request("GET", "_count", None, Deadline(timeout_seconds))

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None, deadline: Deadline) -> Response:
        if self._holds_password:  # keys are the secret's: an environment variable is shown to whoever sees the function
            raise BackingServiceError(BACKING_SERVICE, "ES_URL holds a user and a password: use an ES_API_KEY instead")
        key = self._key()
        response = self._send(method, path, body, key, deadline)
        if response.status in {401, 403}:
            if self._secrets.after_refusal(KEY, key):
                key = self._key()
                response = self._send(method, path, body, key, deadline)
            if response.status in {401, 403}:
                raise SecretError(KEY, "is refused" if key else "is not set")
        if response.status == 404:
            raise BackingServiceError(BACKING_SERVICE, f"there is no index {self._index}; `make index` fills it")
        if response.status != 200:
            raise BackingServiceError(BACKING_SERVICE, f"status {response.status}{_kind(response)}")
        return response

    def _key(self) -> str:
        return self._secrets.require_for_header(KEY) if self._secrets.get(KEY) else ""

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, key: str, deadline: Deadline) -> Response:
        headers = {"Accept": _MEDIA_TYPE}
        if body is not None:
            headers["Content-Type"] = _MEDIA_TYPE
        if key:
            headers["Authorization"] = f"ApiKey {key}"
        return http.request_json(
            method,
            f"{self._url}/{path}",
            backing_service=BACKING_SERVICE,
            body=body,
            headers=headers,
            timeout_seconds=deadline.timeout(SEARCH_TIMEOUT_SECONDS),
        )


def _is_partial(body: Mapping[str, Any]) -> bool:
    """Tell whether a search is one of some shards only ("Search API", _shards and timed_out)."""
    shards = body.get("_shards", {})
    failed, total = shards.get("failed", 0), shards.get("total", 0)
    return bool(body.get("timed_out")) or failed > 0 or shards.get("successful", total) < total


def _kind(response: Response) -> str:
    """Return Elasticsearch's name for the refusal; its reason may repeat the customer's words."""
    error = response.body.get("error") if isinstance(response.body, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    return f" ({kind})" if isinstance(kind, str) else ""
