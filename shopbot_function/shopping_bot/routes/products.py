"""POST /products/search."""

from __future__ import annotations

from flask import Blueprint, Response

from lambda_http import json_text
from lambda_http.problem import Problem
from shopping_bot import deadline, request_metrics
from shopping_bot.extensions import extensions
from shopping_bot.routes import json_body

blueprint = Blueprint("products", __name__)


@blueprint.before_request
def make_extensions() -> None:
    """See to it that the product search can be had, before anything else is said of the request."""
    _ = extensions().product_search


@blueprint.post("/products/search")
def search_products() -> Response:
    """Return the products that fit, with live stock, and which filters had to go to find them."""
    from shopping_bot.search.product_search import InvalidSearchError

    arguments = json_body.read_object()
    try:
        found = extensions().product_search.search(arguments, deadline=deadline.current())
    except InvalidSearchError as error:
        raise Problem(400, str(error)) from error
    request_metrics.current().degraded.update(found["degraded"])
    # Stock is of this moment.
    return Response(json_text.dump(found), headers={"Cache-Control": "no-store"}, mimetype="application/json")
