"""The shopping assistant: a Flask application around a loop over the tools of Claude."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app(environment: str | None = None) -> Flask:
    """Return the application for `environment`: development, production or lambda; None means APP_ENV.

    It reaches no backing service and makes none of their clients before a route needs one.
    """
    # Here, so that `python -m shopping_bot.search.index` needs neither Flask nor Powertools.
    from flask import Flask

    from lambda_http.json_body import MAXIMUM_BODY_BYTES
    from shopping_bot import error_handlers, extensions, observability
    from shopping_bot.config import get_config
    from shopping_bot.routes import chat, health, json_body, pages, products

    config = get_config(environment)
    application = Flask(__name__, instance_path=config.INSTANCE_PATH, static_folder=None)
    application.config.from_object(config)
    application.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY_BYTES
    # A redirect would lose the body of a POST with some clients.
    application.url_map.merge_slashes = False
    observability.install(application)
    application.before_request(_answer_preflight)
    error_handlers.install(application)
    extensions.install(application)
    application.before_request(json_body.check_length)
    for module in (chat, health, pages, products):
        application.register_blueprint(module.blueprint)
    return application


def _answer_preflight() -> tuple[str, int] | None:
    """Answer OPTIONS with 204, whatever the path.

    The API's $default route takes the preflight requests of every path, those of the inventory included. API Gateway
    adds the CORS headers; a browser goes on only when the status is a success (API Gateway Developer Guide, "Configure
    CORS for HTTP APIs", "with a $default route").
    """
    from flask import request

    return ("", 204) if request.method == "OPTIONS" else None
