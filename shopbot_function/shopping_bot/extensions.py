"""What routes need and what is costly to make: made at the first request that needs it, once for the application."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from lambda_http.problem import Problem, unavailable
from shopping_bot import deadline, request_metrics
from shopping_bot.observability import log_failure, logger

if TYPE_CHECKING:
    from lambda_http.json_secret import JsonSecret
    from shopping_bot.backends.claude import Claude
    from shopping_bot.backends.elasticsearch import ProductIndex
    from shopping_bot.backends.inventory import Inventory
    from shopping_bot.backends.redis import RedisConnection
    from shopping_bot.chat.bot_core import BotCore
    from shopping_bot.chat.conversations import Conversations
    from shopping_bot.chat.session import SessionIds
    from shopping_bot.search.product_search import ProductSearch

_NAME = "shopping_bot"
# Two tries, each of one second to connect and two to read, and the pause between them (lambda_http.aws_clients).
_LONGEST_SECRET_SECONDS = 7.0


class MissingSettingError(Exception):
    """A setting that an extension needs is empty; the message names its variable."""


class Extensions:
    """The extensions of one application, from its `config`. Each raises Problem 503 when it cannot be had."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._lock = threading.RLock()
        self._secrets: JsonSecret | None = None
        self._session_ids: SessionIds | None = None
        self._redis: RedisConnection | None = None
        self._conversations: Conversations | None = None
        self._claude: Claude | None = None
        self._product_index: ProductIndex | None = None
        self._inventory: Inventory | None = None
        self._product_search: ProductSearch | None = None
        self._bot_core: BotCore | None = None

    @property
    def secrets(self) -> JsonSecret:
        """The backing services' keys."""
        with self._making("keys"):
            if self._secrets is None:
                self._secrets = self._json_secret()
            return self._secrets

    @property
    def session_ids(self) -> SessionIds:
        """The session ids, keyed by the secret."""
        with self._making("conversations"):
            if self._session_ids is None:
                from shopping_bot.chat.session import SessionIds

                self._session_ids = SessionIds(self.secrets, self._json_secret(previous=True))
            return self._session_ids

    @property
    def redis(self) -> RedisConnection:
        """The connection to Redis."""
        with self._making("conversations"):
            if self._redis is None:
                from shopping_bot.backends.redis import RedisConnection

                self._redis = RedisConnection(
                    host=self._config["REDIS_HOST"],
                    port=self._config["REDIS_PORT"],
                    tls=self._config["REDIS_TLS"],
                    cluster=self._config["REDIS_CLUSTER"],
                    secrets=self.secrets,
                )
            return self._redis

    @property
    def conversations(self) -> Conversations:
        """The conversations in Redis."""
        with self._making("conversations"):
            if self._conversations is None:
                from shopping_bot.chat.conversations import Conversations

                self._conversations = Conversations(self.redis, ttl_seconds=self._config["CONVERSATION_TTL_SECONDS"])
            return self._conversations

    @property
    def claude(self) -> Claude:
        """Claude, by the Messages API."""
        with self._making("assistant"):
            if self._claude is None:
                from shopping_bot.backends.claude import Claude

                base_url, model = self._setting("ANTHROPIC_BASE_URL"), self._setting("CLAUDE_MODEL")
                self._claude = Claude(base_url=base_url, model=model, secrets=self.secrets)
            return self._claude

    @property
    def product_index(self) -> ProductIndex:
        """The products in Elasticsearch."""
        with self._making("product search"):
            if self._product_index is None:
                from shopping_bot.backends.elasticsearch import ProductIndex

                self._product_index = ProductIndex(self._setting("ES_URL"), self._setting("ES_INDEX"), self.secrets)
            return self._product_index

    @property
    def inventory(self) -> Inventory:
        """The stock in the inventory's table."""
        with self._making("stock"):
            if self._inventory is None:
                from shopping_bot.backends.inventory import Inventory

                self._inventory = Inventory(self._setting("TABLE_NAME"))
            return self._inventory

    @property
    def product_search(self) -> ProductSearch:
        """The product search."""
        with self._making("product search"):
            if self._product_search is None:
                from shopping_bot.search.product_search import ProductSearch

                self._product_search = ProductSearch(self.product_index, self.inventory)
            return self._product_search

    @property
    def bot_core(self) -> BotCore:
        """The bot core."""
        with self._making("assistant"):
            if self._bot_core is None:
                from shopping_bot.chat.bot_core import BotCore

                self._bot_core = BotCore(self.claude, self.product_search, self.inventory)
            return self._bot_core

    def make_all(self) -> None:
        """Make every extension now; one that cannot be made is tried again when a route needs it."""
        for get in (lambda: self.conversations, lambda: self.product_search, lambda: self.bot_core):
            with contextlib.suppress(Problem):
                get()

    def _json_secret(self, *, previous: bool = False) -> JsonSecret:
        from lambda_http.json_secret import JsonSecret, read_secret

        secret = self._setting("SECRETS_MANAGER_SECRET")

        def read() -> Mapping[str, Any]:
            from botocore.exceptions import ClientError

            if not deadline.current().has(_LONGEST_SECRET_SECONDS):
                raise TimeoutError("There is no time left to read the secret")
            with request_metrics.backing_service("secretsmanager"):
                try:
                    return read_secret(secret, previous=previous)
                except ClientError as error:
                    is_missing = error.response.get("Error", {}).get("Code") == "ResourceNotFoundException"
                    if previous and is_missing:
                        # The secret was never changed.
                        return {}
                    raise

        return JsonSecret(read, lambda error: log_failure("The secret could not be read", error))

    @contextlib.contextmanager
    def _making(self, part: str) -> Iterator[None]:
        """Let one thread make `part`, and turn what it raises into Problem 503."""
        with self._lock:
            try:
                yield
            except Problem:
                raise
            except Exception as error:
                if isinstance(error, MissingSettingError):
                    logger.error("A setting is missing", part=part, setting=str(error))
                    detail = f"The service cannot do this now: {error} is not set; tell whoever runs it."
                    raise unavailable(detail, None) from error
                log_failure("A part of the service could not be made", error, part=part)
                detail = f"The service cannot do this now: its {part} is missing; tell whoever runs it."
                raise unavailable(detail) from error

    def _setting(self, name: str) -> str:
        value: str = self._config[name]
        if not value:
            raise MissingSettingError(name)
        return value


def install(application: Flask) -> None:
    """Give `application` its extensions."""
    application.extensions[_NAME] = Extensions(application.config)


def extensions() -> Extensions:
    """Return the extensions of the application that answers the present request."""
    found: Extensions = current_app.extensions[_NAME]
    return found
