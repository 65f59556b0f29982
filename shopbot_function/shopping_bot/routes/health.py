"""GET /health says that the service runs, GET /health/ready that its backing services do."""

from __future__ import annotations

from flask import Blueprint, Response

from shopping_bot import json_text

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def read_health() -> Response:
    """Say that the service runs; touches no backing service."""
    return Response(json_text.dump({"status": "ok", "service": "shopbot"}), mimetype="application/json")


@blueprint.get("/health/ready")
def read_readiness() -> Response:
    """Say of each backing service whether it answers and how fast; 503 when one that is required does not."""
    from shopping_bot import readiness

    report = readiness.check()
    status = 200 if report["status"] == "ready" else 503
    headers = {"Cache-Control": "no-store"}
    return Response(json_text.dump(report), status, headers, mimetype="application/json")
