"""What routes need and what is costly to make: made at the first request that needs it, once for the application."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app, request

from shopping_bot.problem import Problem, unavailable

if TYPE_CHECKING:
    from shopping_bot.backends.secrets import Secrets
    from shopping_bot.chat.bot_core import BotCore
    from shopping_bot.chat.conversations import Conversations
    from shopping_bot.search.product_search import ProductSearch

_NEEDED_BY_BLUEPRINT = {"chat": ("conversations", "bot_core"), "products": ("product_search",)}
_lock = threading.RLock()


class MissingSettingError(Exception):
    """A setting that an extension needs is empty; the message names its variable."""


def install(application: Flask) -> None:
    """Make `application` see to it that what a route needs is there before the route runs."""

    def make_needed() -> None:
        for name in _NEEDED_BY_BLUEPRINT.get(request.blueprint or "", ()):
            _extension(name)

    application.before_request(make_needed)


def make_all(application: Flask) -> None:
    """Make every extension of `application` now; one that cannot be made is tried again when a route needs it."""
    with application.app_context():
        for name in _MAKERS:
            with contextlib.suppress(Problem):
                _extension(name)


def conversations() -> Conversations:
    """Return the conversations in Redis. Raises Problem 503 when they cannot be had."""
    return cast("Conversations", _extension("conversations"))


def bot_core() -> BotCore:
    """Return the bot core. Raises Problem 503 when it cannot be had."""
    return cast("BotCore", _extension("bot_core"))


def product_search() -> ProductSearch:
    """Return the product search. Raises Problem 503 when it cannot be had."""
    return cast("ProductSearch", _extension("product_search"))


def secrets() -> Secrets:
    """Return the backing services' keys. Raises Problem 503 when they cannot be had."""
    return cast("Secrets", _extension("secrets"))


def _extension(name: str) -> Any:
    extensions = current_app.extensions
    if name not in extensions:
        with _lock:
            if name not in extensions:
                extensions[name] = _make(name)
    return extensions[name]


def _make(name: str) -> Any:
    from shopping_bot.observability import logger

    try:
        return _MAKERS[name]()
    except Problem:
        raise
    except MissingSettingError as error:
        logger.error("A setting is missing", extension=name, setting=str(error))
        raise unavailable(f"The service cannot do this now: {error} is not set; tell whoever runs it.", None) from error
    except Exception as error:
        logger.error("An extension could not be made", extension=name, exc_info=error)
        part = name.replace("_", " ")
        raise unavailable(f"The service cannot do this now: its {part} is missing; tell whoever runs it.") from error


def _make_secrets() -> Secrets:
    from shopping_bot.backends.secrets import Secrets, read_secret

    secret = _setting("SECRETS_MANAGER_SECRET")
    return Secrets(lambda: read_secret(secret))


def _make_conversations() -> Conversations:
    from shopping_bot.chat.conversations import Conversations

    config = current_app.config
    return Conversations(
        host=config["REDIS_HOST"],
        port=config["REDIS_PORT"],
        tls=config["REDIS_TLS"],
        ttl_seconds=config["CONVERSATION_TTL_SECONDS"],
        secrets=secrets(),
    )


def _make_product_search() -> ProductSearch:
    from shopping_bot.backends.elasticsearch import ProductIndex
    from shopping_bot.backends.inventory import Inventory
    from shopping_bot.search.product_search import ProductSearch

    return ProductSearch(
        ProductIndex(_setting("ES_URL"), _setting("ES_INDEX"), secrets()), Inventory(_setting("TABLE_NAME"))
    )


def _make_bot_core() -> BotCore:
    from shopping_bot.backends.claude import Claude
    from shopping_bot.backends.inventory import Inventory
    from shopping_bot.chat.bot_core import BotCore

    claude = Claude(base_url=_setting("ANTHROPIC_BASE_URL"), model=_setting("CLAUDE_MODEL"), secrets=secrets())
    return BotCore(claude, product_search(), Inventory(_setting("TABLE_NAME")))


_MAKERS: dict[str, Callable[[], Any]] = {
    "secrets": _make_secrets,
    "conversations": _make_conversations,
    "product_search": _make_product_search,
    "bot_core": _make_bot_core,
}


def _setting(name: str) -> str:
    value: str = current_app.config[name]
    if not value:
        raise MissingSettingError(name)
    return value
